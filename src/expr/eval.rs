//! The one evaluator of expressions.

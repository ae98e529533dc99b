//! CLAIM: what copy may say.

mod about_money;
pub(super) mod config;
pub(super) mod debt;
pub(super) mod deposit;
pub(super) mod lure;
pub(super) mod pension;
pub(super) mod promise;
pub(super) mod rate;
pub(super) mod superlative;
pub(super) mod warning;
pub(super) mod witness;
pub(super) mod yearly_cost;

//! The one integration binary. A story is a module; what several share is in `support`.

mod cli;
mod layers;

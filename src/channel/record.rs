//! `record`: no provider; the decision itself is the message. For dry runs, shadows and benchmarks.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::{Channel, SendResult};
use crate::step::Delivery;

/// Accepts everything and hands nothing over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record;

impl Channel for Record {
    fn send<'a>(&'a self, _delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        ready(SendResult::Accepted { detail: "recorded".into() }).boxed()
    }

    fn is_record(&self) -> bool {
        true
    }
}

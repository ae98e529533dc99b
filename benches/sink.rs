//! A provider on loopback that takes every message at once and notes when the first one for each customer came.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;

use crate::engine::clock::wall;

/// Microseconds since 1970, by customer; 0: nothing came.
type Arrivals = Arc<[AtomicI64]>;

#[derive(serde::Deserialize)]
struct Message {
    address: String,
}

/// Takes messages for customers below `customers`, whose addresses end with their number in `digits` digits, until the
/// returned runtime is dropped. The second value is where it listens.
pub(crate) fn open(
    customers: usize,
    digits: usize,
) -> std::io::Result<(tokio::runtime::Runtime, String, Arrivals)> {
    let arrivals: Arrivals = (0..customers).map(|_| AtomicI64::new(0)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?.to_string();
    let router = Router::new().route("/", post(take)).with_state((Arc::clone(&arrivals), digits));
    runtime.spawn(async move { axum::serve(listener, router).await });
    Ok((runtime, address, arrivals))
}

async fn take(State((arrivals, digits)): State<(Arrivals, usize)>, body: Bytes) -> StatusCode {
    let now = wall().as_microsecond();
    let message = serde_json::from_slice::<Message>(&body).ok();
    let number = message.and_then(|message| {
        let first = message.address.len().checked_sub(digits)?;
        message.address.get(first..)?.parse::<usize>().ok()
    });
    let Some(arrival) = number.and_then(|number| arrivals.get(number)) else {
        return StatusCode::BAD_REQUEST;
    };
    let _ = arrival.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    StatusCode::OK
}

//! W1 as one would write it for Restate: a workflow per customer, a durable promise against a durable sleep.
//!
//! `wayfare bench run --peer restate` builds it, starts it behind a Restate server of its own, and enrols as many customers as
//! the first argument says; it prints `done` once that many workflows have ended. The second is where it listens.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use restate_sdk::prelude::*;

static LEFT: AtomicU64 = AtomicU64::new(0);

struct W1;

#[workflow]
impl W1 {
    #[handler]
    async fn run(&self, ctx: WorkflowContext<'_>) -> Result<(), HandlerError> {
        ctx.run(|| async { Ok("push".to_owned()) }).name("push").await?;
        let has_opened = restate_sdk::select! {
            opened = ctx.promise::<String>("opened") => { opened?; true },
            waited = ctx.sleep(Duration::from_secs(2)) => { waited?; false },
        };
        if !has_opened {
            ctx.run(|| async { Ok("sms".to_owned()) }).name("sms").await?;
        }
        ctx.set("tag", "served".to_owned());
        if LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
            println!("done");
        }
        Ok(())
    }

    #[handler]
    async fn opened(&self, ctx: SharedWorkflowContext<'_>) -> Result<(), HandlerError> {
        ctx.resolve_promise("opened", "opened".to_owned());
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let customers = args.next().and_then(|count| count.parse().ok()).expect("how many customers");
    let address = args.next().and_then(|address| address.parse().ok()).expect("where to listen");
    LEFT.store(customers, Ordering::Relaxed);
    HttpServer::new(Endpoint::builder().bind(W1).build()).listen_and_serve(address).await;
}

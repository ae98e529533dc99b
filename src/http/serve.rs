//! Connections: how many, how long, and how they end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 512;
/// From the first byte of a request, or the end of the one before, to the end of its headers.
const HEADERS: Duration = Duration::from_secs(20);
/// Bytes of all headers.
const HEADER_BYTES: usize = 32 * 1024;
/// How long requests under way may take to end once we stop.
const GRACE: Duration = Duration::from_secs(10);
/// After a failed accept (no file handles left) the next one would fail as well.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop` resolves, then lets the requests under way end.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let (stopping, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            () = &mut stop => break,
            Some(_) = open.join_next() => {}
            (accepted, permit) = accepted => match accepted {
                Ok((stream, _)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    open.spawn(async move {
                        connection(stream, router, stopped).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    // Nobody listening means that no connection is open.
    let _ = stopping.send(true);
    let _ = tokio::time::timeout(GRACE, async { while open.join_next().await.is_some() {} }).await;
}

async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    // Answers are small and written once.
    let _ = stream.set_nodelay(true);
    let mut server = http1::Builder::new();
    // A sender that says that nothing more comes still wants its answer.
    server.half_close(true);
    server.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADER_BYTES);
    let service = TowerToHyperService::new(router);
    let mut conversation = pin!(server.serve_connection(TokioIo::new(stream), service));
    let stopping = async move {
        // A sender that is gone has stopped as well.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let ended = tokio::select! {
        ended = &mut conversation => ended,
        () = stopping => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Answers are about now and may show people: nothing between us and the caller keeps or guesses at them.
pub(super) async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // But for a picture, whose address says what is in it.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

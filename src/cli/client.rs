//! Talking to a daemon: where it is, who we are, and patience while it is busy.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::settings::Settings;
use super::{Failure, Output};
use crate::channel::webhook::install_tls;

/// How often a busy daemon is asked again, about once a second.
const PATIENCE: u32 = 120;
/// Longest pause between two attempts, whatever the daemon asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_mins(2);

/// Which daemon.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// Address of the daemon, such as <http://127.0.0.1:7171> [default: where wayfare.toml says that it listens].
    #[arg(long, env = "WAYFARE_SERVER", value_name = "URL")]
    server: Option<String>,

    /// File with the daemon's token.
    #[arg(long, env = "WAYFARE_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
}

/// The daemon's answer to records.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    pub accepted: u64,
    pub duplicates: u64,
    #[serde(default)]
    pub rejected: Vec<Rejected>,
    #[serde(default)]
    pub rejected_more: u64,
}

#[derive(Debug, Deserialize)]
pub struct Rejected {
    /// From 0, in what was sent; blank lines do not count.
    pub index: usize,
    /// From 1, in what was sent.
    pub line: Option<u64>,
    pub id: Option<String>,
    pub code: String,
    pub reason: String,
}

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

impl Client {
    /// Nothing is connected yet.
    pub fn new(target: &Target, output: &Output) -> Result<Self, Failure> {
        // The settings' token is for the settings' daemon, and for no other.
        let (base, token) = if let Some(server) = &target.server {
            (server.clone(), None)
        } else {
            let settings = Settings::load(std::path::Path::new("."), output)?;
            let server = &settings.config.server;
            let token = server.token.as_ref().map(|token| token.expose().to_owned());
            (format!("http://{}", reachable(server.listen)), token)
        };
        let base = Url::parse(&base).ok().filter(Url::has_host).ok_or_else(|| {
            Failure::new(format_args!("`{base}` is no address of a daemon"))
                .help("write one such as http://127.0.0.1:7171")
        })?;
        let token = match &target.token_file {
            Some(file) => {
                let text =
                    std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))?;
                Some(text.trim().to_owned())
            }
            None => token,
        };
        install_tls();
        let http = reqwest::Client::builder().connect_timeout(CONNECT).timeout(ANSWER).no_proxy().build();
        let http =
            http.map_err(|error| Failure::new(format_args!("no connection can be set up: {error}")))?;
        Ok(Self { http, base, token })
    }

    /// A daemon at this address that asks for no token.
    pub fn to(base: &str, output: &Output) -> Result<Self, Failure> {
        Self::new(&Target { server: Some(base.to_owned()), token_file: None }, output)
    }

    /// Asks until the daemon is ready, for so long at the most.
    pub async fn ready(&self, patience: Duration) -> Result<(), Failure> {
        const PAUSE: Duration = Duration::from_millis(50);
        for _ in 0..patience.as_millis() / PAUSE.as_millis() {
            let asked = self.http.get(self.url("/readyz")).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Failure::unreachable(format_args!("the daemon at {} did not become ready", self.base)))
    }

    /// Records as NDJSON. Waits while the daemon is busy.
    pub async fn send_lines(&self, lines: String, output: &Output) -> Result<Answer, Failure> {
        let mut asked = 0;
        loop {
            let request = self.http.post(self.url("/v1/events")).header(CONTENT_TYPE, "application/x-ndjson");
            let response = self.send(request.body(lines.clone())).await?;
            let is_busy =
                matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if !is_busy || asked >= PATIENCE {
                return read(response).await;
            }
            if asked == 0 {
                output.say("the daemon is busy, waiting");
            }
            asked += 1;
            tokio::time::sleep(pause(&response)).await;
        }
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read(self.send(self.http.get(self.url(path))).await?).await
    }

    /// JSON to the daemon, and its answer.
    pub async fn ask<T: DeserializeOwned>(&self, path: &str, body: &serde_json::Value) -> Result<T, Failure> {
        read(self.send(self.http.post(self.url(path)).json(body)).await?).await
    }

    /// What another server than ours takes: JSON or nothing, any answer that is not an error.
    pub async fn post(&self, path: &str, body: Option<serde_json::Value>) -> Result<(), Failure> {
        let request = self.http.post(self.url(path));
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = self.send(request).await?;
        let status = response.status();
        // Read to its end, so that the connection serves the next request.
        let _ = response.bytes().await;
        if status.is_success() {
            return Ok(());
        }
        Err(Failure::new(format_args!("{} answered HTTP {}", self.base, status.as_u16())))
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.map_err(|error| {
            let what = if error.is_timeout() { "did not answer in time" } else { "cannot be reached" };
            let failure = Failure::unreachable(format_args!("the daemon at {} {what}", self.base));
            failure.help("start it with `wayfare run`, or say where it is with `--server`")
        })
    }
}

/// Runs what talks to a daemon on this thread.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format_args!("cannot start: {error}")))?.block_on(work)
}

/// An address that says "every interface" is reached at this machine.
fn reachable(mut listen: std::net::SocketAddr) -> std::net::SocketAddr {
    if listen.ip().is_unspecified() {
        let ip: std::net::IpAddr = match listen {
            std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        listen.set_ip(ip);
    }
    listen
}

fn pause(response: &Response) -> Duration {
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(asked.unwrap_or(1)).clamp(Duration::from_millis(100), LONGEST_PAUSE)
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let status = response.status();
    let body = response
        .bytes()
        .await
        .map_err(|_| Failure::unreachable("the daemon hung up before its answer was complete"))?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| {
            Failure::new(format_args!("the answer is not one of a daemon of ours: {error}"))
        });
    }
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    if problem.code.is_empty() {
        return Err(Failure::new(format_args!("the server answered HTTP {}", status.as_u16()))
            .help("is this the address of a wayfare daemon?"));
    }
    let failure = Failure::new(format_args!("the daemon refused: {} [{}]", problem.detail, problem.code));
    Err(if status == StatusCode::UNAUTHORIZED {
        failure.help("name the file with its token: `--token-file FILE`")
    } else {
        failure.help(format_args!("`wayfare explain {}` says more", problem.code))
    })
}

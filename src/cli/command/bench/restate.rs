//! W1 on Restate: its server from npm, a workflow per customer written with its Rust SDK (benches/restate), and a request
//! for each event, as it takes them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use super::daemon::free_address;
use super::load;
use crate::cli::client::{Client, block_on};
use crate::cli::{Failure, Output};
use crate::engine::clock::wall;

/// The version that was tried.
const SERVER: &str = "@restatedev/restate-server@1.7";
/// Requests under way at once: fewer and more were slower.
const IN_FLIGHT: usize = 64;
const PATIENCE: Duration = Duration::from_mins(30);

/// Killed if dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Customers per second.
pub(super) fn run(folder: &Path, customers: u32, output: &Output) -> Result<f64, Failure> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = sources.join("target/restate");
    let server = install(&tools, output)?;
    let service = build(&sources.join("benches/restate"), &tools, output)?;
    let (ingress, admin, node, own) = (free_address()?, free_address()?, free_address()?, free_address()?);
    let mut command = Command::new(server);
    command.env("RESTATE_BASE_DIR", folder.join("data")).env("RESTATE_DISABLE_TELEMETRY", "true");
    command.env("RESTATE_BIND_IP", "127.0.0.1").env("RESTATE_BIND_ADDRESS", &node);
    command.env("RESTATE_INGRESS__BIND_ADDRESS", &ingress).env("RESTATE_ADMIN__BIND_ADDRESS", &admin);
    let log = std::fs::File::create(folder.join("restate.log")).map_err(|error| failed(&error))?;
    command.arg("--no-logo").args(["--listen-mode", "tcp"]).stdout(Stdio::null()).stderr(log);
    let _server = Running(command.spawn().map_err(|error| failed(&error))?);
    let mut command = Command::new(service);
    let spawned = command.args([&customers.to_string(), &own]).stdout(Stdio::piped()).spawn();
    let mut service = Running(spawned.map_err(|error| failed(&error))?);
    let done = said_done(&mut service)?;
    block_on(register(&format!("http://{admin}"), &format!("http://{own}"), output))?;
    let start = wall();
    block_on(feed(&format!("http://{ingress}"), customers, output))?;
    done.recv_timeout(PATIENCE).map_err(|_| Failure::new("Restate did not finish the workload"))?;
    Ok(f64::from(customers) / wall().duration_since(start).as_secs_f64())
}

/// The server's program.
fn install(tools: &Path, output: &Output) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(tools).map_err(|error| Failure::file("make", tools, &error))?;
    let package = format!("restate-server-{}-{}", std::env::consts::OS, architecture());
    let program = tools.join("node_modules/@restatedev").join(package).join("bin/restate-server");
    if !program.is_file() {
        output.say(format_args!("installing {SERVER} below {}", tools.display()));
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .arg(tools)
            .arg(SERVER);
        finish(npm, "npm")?;
    }
    Ok(program)
}

/// As npm calls it.
fn architecture() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x64" }
}

/// The program of the workflow.
fn build(package: &Path, tools: &Path, output: &Output) -> Result<PathBuf, Failure> {
    let target = tools.join("build");
    output.say(format_args!("building {}", package.display()));
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(package.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(&target);
    finish(cargo, "cargo")?;
    Ok(target.join("release/wayfare-bench-restate"))
}

fn finish(mut command: Command, name: &str) -> Result<(), Failure> {
    match command.stdin(Stdio::null()).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format_args!("{name} failed: {status}"))),
        Err(error) => Err(Failure::new(format_args!("{name} cannot be started: {error}"))),
    }
}

/// Hears when all workflows have ended.
fn said_done(service: &mut Running) -> Result<mpsc::Receiver<()>, Failure> {
    let lines =
        service.0.stdout.take().ok_or_else(|| Failure::new("the workflow's output cannot be read"))?;
    let (done, heard) = mpsc::channel();
    std::thread::spawn(move || {
        if BufReader::new(lines).lines().map_while(Result::ok).any(|line| line == "done") {
            let _ = done.send(());
        }
    });
    Ok(heard)
}

async fn register(admin: &str, service: &str, output: &Output) -> Result<(), Failure> {
    const TRIES: u32 = 100;
    let client = Client::to(admin, output)?;
    for left in (0..TRIES).rev() {
        match client.post("/deployments", Some(json!({ "uri": service, "force": true }))).await {
            Err(failure) if left == 0 => return Err(failure),
            // It is starting.
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            Ok(()) => break,
        }
    }
    // What it has registered, all its parts have to learn.
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

/// Enrols everybody; every second customer opens at once, as in the product's run.
async fn feed(ingress: &str, customers: u32, output: &Output) -> Result<(), Failure> {
    let client = &Client::to(ingress, output)?;
    let one = |number: u32| async move {
        let id = load::id(number);
        client.post(&format!("/W1/{id}/run/send"), None).await?;
        if number.is_multiple_of(2) {
            client.post(&format!("/W1/{id}/opened/send"), None).await
        } else {
            Ok(())
        }
    };
    let mut requests = stream::iter(0..customers).map(one).buffer_unordered(IN_FLIGHT);
    while let Some(done) = requests.next().await {
        done?;
    }
    Ok(())
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(format_args!("Restate cannot be started: {error}"))
}

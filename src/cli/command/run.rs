//! `wayfare run`: the daemon.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tracing_subscriber::EnvFilter;

use super::compiled;
use crate::cli::daemon::{Daemon, Plan};
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output};
use crate::program::{Bundle, FORMAT};

/// Run the daemon: take events in, move customers through their journeys, send messages.
///
/// Compiles the project around the current folder, or loads a bundle. Messages and talk aside, it writes a log to
/// stderr; `RUST_LOG` sets what is in it. SIGINT and SIGTERM end it after the work under way.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on [default: `listen` of wayfare.toml, 127.0.0.1:7171].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// Run this compiled bundle instead of the project's journeys.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// How the log is written.
    #[arg(long, value_enum, default_value_t)]
    log: Log,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Log {
    #[default]
    Text,
    Json,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let settings = Settings::load(Path::new("."), output)?;
    let bundle = match &args.bundle {
        Some(file) => read(file)?,
        None => compiled::sound(std::slice::from_ref(&settings.root), output)?.2,
    };
    start_log(args.log, "info");
    let mut plan = Plan::new(settings, bundle);
    plan.listen = args.listen.unwrap_or(plan.listen);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
    runtime.block_on(async {
        let daemon = Box::pin(Daemon::start(plan, output)).await?;
        output.say(format_args!("listening on http://{}", daemon.address));
        daemon.serve().await
    })
}

fn read(file: &Path) -> Result<Bundle, Failure> {
    let text = std::fs::read(file).map_err(|error| Failure::file("read", file, &error))?;
    let bundle: Bundle = serde_json::from_slice(&text)
        .map_err(|error| Failure::new(format_args!("`{}` is not a bundle: {error}", file.display())))?;
    if bundle.format == FORMAT {
        return Ok(bundle);
    }
    let (path, found) = (file.display(), bundle.format);
    Err(Failure::new(format_args!(
        "`{path}` is a bundle of format {found}, this version runs format {FORMAT}"
    ))
    .help("compile it again with this version"))
}

/// The log goes to stderr; a second start in one process changes nothing.
pub fn start_log(log: Log, quietest: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quietest));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let _ = match log {
        Log::Text => builder.try_init(),
        Log::Json => builder.json().try_init(),
    };
}

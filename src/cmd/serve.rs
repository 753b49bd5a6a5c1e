//! `serve`: the bot.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::app::operators::Control;
use crate::app::{self, Watch};
use crate::cmd::{Ctx, Overrides, help_end};
use crate::config::Settings;
use crate::config::settings::{LogFormat, LogSettings, ServerSettings};
use crate::error::Failure;
use crate::event::Silent;
use crate::exit::Exit;
use crate::index::VectorStore;
use crate::serve;
use crate::serve::ops::Operators;
use crate::ui::Format;
use crate::ui::log::{self, Logs};

/// Serve the bot: the page, the ChatKit protocol, the documents
///
/// The local index is brought up to date with the documents first; with --watch also whenever they change. Many
/// documents are never removed that way: then it warns, and `chatbotctl docs sync --allow-delete` decides. What
/// `docs sync` does beside the running server is picked up within a second or two. When the server is ready, its address is printed
/// on standard output, one line; logs go to standard error, or to LOG_FILE. Ctrl-C or SIGTERM gives running answers ten
/// seconds to finish, stores what they have by then, and stops within twenty; after SIGTERM it exits with 0.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl serve" => "serve the documents in `data` on http://127.0.0.1:8002",
    "chatbotctl serve --port 0 --docs-dir handbook" => "other documents, on a free port",
    "chatbotctl serve --watch" => "and take in documents as they change",
    "chatbotctl --profile prod serve" => "with the settings of a profile"
))]
pub struct Args {
    /// Address to listen on [default: SERVER_HOST]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Port to listen on; 0 picks a free one [default: SERVER_PORT]
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// Folder of the index, the database and the cookie key [default: STATE_DIR]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<String>,
    /// Folder of the documents [default: DOCS_DIR]
    #[arg(long, value_name = "DIR")]
    docs_dir: Option<String>,
    /// Who answers: extractive, chat or stub [default: MODEL_BACKEND]
    #[arg(long, value_name = "NAME")]
    model_backend: Option<String>,
    /// Take in documents whenever they change
    #[arg(long)]
    watch: bool,
    /// Look for changes every SECONDS instead of being told: for network folders
    #[arg(long, value_name = "SECONDS", requires = "watch", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    poll: Option<u64>,
}

impl Args {
    fn overrides(&self) -> Overrides {
        let flags = [
            ("SERVER_HOST", &self.host),
            ("SERVER_PORT", &self.port),
            ("STATE_DIR", &self.state_dir),
            ("DOCS_DIR", &self.docs_dir),
            ("MODEL_BACKEND", &self.model_backend),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
    }
}

/// Runs the command.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let flags = args.overrides();
    let settings = ctx.settings(flags.clone())?;
    let logs = start_logs(&settings.log)?;
    let _flush = logs.flush_at_end();
    let reloads = hangups()?;
    outlive_limits_of_files()?;
    // A port that is taken is told before the documents are read.
    let listener = listen(&settings.server).await?;
    let operations = listen_for_operators(&settings.server).await?;
    let _state = app::hold_state(&settings)?;
    let index = app::open_index(&settings)?;
    let mut deps = app::serve_deps(&settings, index.clone()).await?;
    let reader = app::open_reader();
    let watch = Watch { out: &ctx.out, reader: &*reader, observer: &ctx.out.progress(), stop: &ctx.stop };
    app::bring_up_to_date(&settings, &index, watch).await?;
    if ctx.stop.is_cancelled() {
        return Ok(Exit::Good);
    }
    let embedding = embed_beside(&settings, &index, ctx);
    let watching = app::models::watch(&settings, &deps.models, &ctx.stop);
    let ops_url = operations.as_ref().map(url_of).transpose()?;
    let url = tell_ready(&listener, ops_url.as_deref(), ctx)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        profile = settings.profile,
        %url,
        ops_url = ops_url.as_deref(),
        auth = ?settings.server.auth_mode,
        backend = settings.assistant.backend.name(),
        documents = index.records().await.map_or(0, |records| records.len()),
        "serving"
    );
    let control = Control { inputs: ctx.inputs(), flags: flags.into_iter().collect(), index: index.clone(), logs };
    deps.operators = Some(Operators {
        listener: operations,
        admin_token: settings.server.ops.as_ref().and_then(|ops| ops.admin_token.clone()),
        control: Arc::new(control),
        reloads,
        effective: settings.effective.clone(),
        store_kind: app::store_kind(&settings),
    });
    let ended = ctx.stop.child_token();
    let following = async {
        if args.watch {
            let watch = Watch { observer: &Silent, stop: &ended, ..watch };
            app::follow(&settings, &index, watch, args.poll.map(Duration::from_secs)).await;
        }
    };
    let serving = async {
        let served = serve::run(listener, deps, ctx.stop.clone()).await;
        ended.cancel();
        served
    };
    let (served, ()) = tokio::join!(serving, following);
    served.map_err(|error| Failure::new("serve/failed", Exit::Temporary, "serve", error.to_string()).cause(error))?;
    if embedding.await.is_err() {
        tracing::error!("embedding the documents ended with a bug");
    }
    if watching.await.is_err() {
        tracing::error!("asking when the model ends ended with a bug");
    }
    tracing::info!("stopped");
    Ok(Exit::Good)
}

/// Embeds what has no vector yet while questions are answered already; until then words alone count.
fn embed_beside(settings: &Settings, index: &Arc<dyn VectorStore>, ctx: &Ctx) -> JoinHandle<()> {
    let (settings, index, stop) = (settings.clone(), Arc::clone(index), ctx.stop.clone());
    tokio::spawn(async move { app::embeddings::embed_quietly(&settings, &index, &stop).await })
}

async fn listen(settings: &ServerSettings) -> Result<TcpListener, Failure> {
    let place = (settings.host.trim_matches(['[', ']']), settings.port);
    TcpListener::bind(place).await.map_err(|error| {
        let what = format!("listen on `{}` port {}", settings.host, settings.port);
        Failure::new("serve/no-port", Exit::Temporary, what, error.to_string())
            .fix("stop what uses the port, or choose another: chatbotctl serve --port 0")
            .cause(error)
    })
}

async fn listen_for_operators(settings: &ServerSettings) -> Result<Option<TcpListener>, Failure> {
    let Some(ops) = &settings.ops else {
        return Ok(None);
    };
    TcpListener::bind(ops.address).await.map(Some).map_err(|error| {
        let what = format!("listen for operators on `{}`", ops.address);
        Failure::new("serve/no-ops-port", Exit::Temporary, what, error.to_string())
            .fix("stop what uses the port, or set OPS_ADDR to another; port 0 picks a free one")
            .cause(error)
    })
}

fn start_logs(settings: &LogSettings) -> Result<Logs, Failure> {
    let form = match settings.format {
        LogFormat::Auto => log::Form::Auto,
        LogFormat::Json => log::Form::Json,
        LogFormat::Text => log::Form::Text,
    };
    log::start(log::Settings {
        level: settings.level,
        form,
        file: settings.file.as_deref(),
        max_bytes: settings.max_bytes,
        keep: settings.keep,
    })
}

/// Each SIGHUP as a message; several that come before the first is dealt with are one.
#[cfg(unix)]
fn hangups() -> Result<mpsc::Receiver<()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut signal = signal(SignalKind::hangup()).map_err(|error| {
        Failure::new("serve/no-signals", Exit::Temporary, "watch for SIGHUP", error.to_string()).cause(error)
    })?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = sender.closed() => break,
                got = signal.recv() => match got {
                    // A full channel holds the same wish already.
                    Some(()) => drop(sender.try_send(())),
                    None => break,
                },
            }
        }
    });
    Ok(receiver)
}

/// Beyond a limit of file size (`ulimit -f`) the system would end the process. With a handler the write fails instead,
/// as on a full disk; the handler stays when nobody listens.
#[cfg(unix)]
fn outlive_limits_of_files() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    signal(kind).map(drop).map_err(|error| {
        Failure::new("serve/no-signals", Exit::Temporary, "watch for SIGXFSZ", error.to_string()).cause(error)
    })
}

/// There is no such signal here.
#[cfg(not(unix))]
fn outlive_limits_of_files() -> Result<(), Failure> {
    Ok(())
}

/// There is no such signal here; reloads are asked for over the operations listener.
#[cfg(not(unix))]
fn hangups() -> Result<mpsc::Receiver<()>, Failure> {
    Ok(mpsc::channel(1).1)
}

/// A wildcard bind has no address to open; the loopback address reaches it from here.
fn url_of(listener: &TcpListener) -> Result<String, Failure> {
    let bound = listener.local_addr().map_err(|error| {
        Failure::new("serve/no-address", Exit::Temporary, "tell the address", error.to_string()).cause(error)
    })?;
    let host = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    Ok(format!("http://{host}:{}", bound.port()))
}

fn tell_ready(listener: &TcpListener, ops_url: Option<&str>, ctx: &Ctx) -> Result<String, Failure> {
    let url = url_of(listener)?;
    if let Ok(bound) = listener.local_addr()
        && bound.ip().is_unspecified()
    {
        ctx.out.note(&format!("{} takes connections from everywhere", bound.ip()));
    }
    match ctx.out.format {
        Format::Human => ctx.out.result(&format!("listening on {url}"))?,
        Format::Json | Format::Jsonl => {
            let mut line = serde_json::json!({ "schema": "chatbotctl.serve/1", "url": url });
            if let Some(ops_url) = ops_url {
                line["ops_url"] = ops_url.into();
            }
            ctx.out.json_line(&line)?;
        }
    }
    // A file named with -o is whole now, not when the server stops.
    ctx.out.finish()?;
    Ok(url)
}

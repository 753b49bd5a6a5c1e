//! The operators' side of the server, on a listener of its own: what runs, whether it is ready, metrics, the
//! description of the public side, reloads, the log's level.
//!
//! None of it is for visitors (H22). On a loopback address the machine's own users are let in; a browser page is not,
//! wherever it comes from. With `ADMIN_TOKEN` all but `/ready` needs the token. What an operator gets to see holds no
//! message, no secret and no address of a visitor.

mod access;
mod control;
mod failures;
mod log_level;
mod metrics;
pub mod openapi;
mod ready;
mod reload;
mod version;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::effective::Effective;
use crate::secret::Secret;
use crate::serve::connections::{Bounds, Connections};
use crate::serve::middleware;
use crate::serve::ops::access::Access;
use crate::serve::ops::metrics::CountedDocuments;
use crate::serve::router::{no_such_method, no_such_route};
use crate::serve::state::AppState;

pub use control::{Control, Loaded};

/// Connections that are open at the same time: operators and what they watch with are few.
const MAX_CONNECTIONS: usize = 64;

/// How long answers to operators may go on after the stop.
const GRACE: Duration = Duration::from_secs(1);

/// What the operators' side is made of.
pub struct Operators {
    /// Where it listens; without one there are only reloads by signal.
    pub listener: Option<TcpListener>,
    /// `ADMIN_TOKEN`.
    pub admin_token: Option<Secret>,
    /// What the program around the server does for operators.
    pub control: Arc<dyn Control>,
    /// Each message asks for a reload: SIGHUP, say.
    pub reloads: mpsc::Receiver<()>,
    /// The settings that are in force.
    pub effective: Effective,
    /// What kind of store keeps the threads.
    pub store_kind: String,
}

/// What the operators' handlers can reach.
#[derive(Clone)]
struct OpsState(Arc<Parts>);

struct Parts {
    app: AppState,
    access: Access,
    control: Arc<dyn Control>,
    /// The settings in force; held during a reload, so that there is one at a time.
    in_force: Mutex<Effective>,
    store_kind: String,
    started_at: Timestamp,
    documents: CountedDocuments,
    /// Cancelled when the public side takes no more.
    draining: CancellationToken,
}

impl Deref for OpsState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The running operators' side.
pub struct Operations {
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Starts it. It goes on while the public side drains, until [`Operations::end`].
pub fn start(app: &AppState, operators: Operators, draining: &CancellationToken) -> Operations {
    let address = operators.listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let ops = OpsState(Arc::new(Parts {
        app: app.clone(),
        access: Access::new(operators.admin_token, address),
        control: operators.control,
        in_force: Mutex::new(operators.effective),
        store_kind: operators.store_kind,
        started_at: app.clock.now(),
        documents: CountedDocuments::default(),
        draining: draining.clone(),
    }));
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(reload_when_asked(ops.clone(), operators.reloads, stop.clone()));
    if let Some(listener) = operators.listener {
        tasks.spawn(serve(listener, router(&ops), stop.clone()));
    }
    tasks.close();
    Operations { stop, tasks }
}

impl Operations {
    /// Ends it, and waits until nothing of it is left.
    pub async fn end(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let bounds = Bounds { open: MAX_CONNECTIONS, extra: 0, ..Bounds::default() };
    let connections = Connections::new(bounds, Arc::default());
    connections.accept(listener, router, &stop).await;
    if tokio::time::timeout(GRACE, connections.ended()).await.is_err() {
        connections.abandon().await;
    }
}

async fn reload_when_asked(ops: OpsState, mut reloads: mpsc::Receiver<()>, stop: CancellationToken) {
    while let Some(Some(())) = stop.run_until_cancelled(reloads.recv()).await {
        // The outcome is in the log.
        let _ = reload::reload(&ops).await;
    }
}

fn router(ops: &OpsState) -> Router {
    let guarded = Router::new()
        .route("/openapi.json", get(openapi::show))
        .route("/version", get(version::show))
        .route("/metrics", get(metrics::show))
        .route("/reload", post(reload::handle))
        .route("/log-level", get(log_level::show).put(log_level::set))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(ops.clone(), access::check_token));
    // An orchestrator that asks whether the server is ready has no token.
    let open = Router::new().route("/ready", get(ready::show).fallback(no_such_method));
    guarded
        .merge(open)
        .layer(from_fn_with_state(ops.clone(), access::check_place))
        .layer(from_fn(middleware::refused::answer))
        .layer(from_fn(middleware::panic::contain))
        .layer(from_fn_with_state(ops.app.clone(), middleware::headers::add))
        .layer(from_fn_with_state(ops.clone(), access::name_request))
        .with_state(ops.clone())
}

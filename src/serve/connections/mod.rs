//! Accepts connections within bounds, ends what takes too long, and ends all of them at a stop.
//!
//! Beyond the bound of open connections a few more are answered in an extra lane, where all but health is told to
//! come again; beyond that they are closed at once. Nobody waits in the dark, and what is open stays bounded. No address
//! gets all of either, so that whoever opens as many as it can leaves some to others.

mod crowds;
mod deadline;
mod descriptors;
mod exchange;
mod framing;
mod gate;
mod head;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::serve::connections::crowds::{Crowds, Member, share};
use crate::serve::connections::exchange::Exchange;
use crate::serve::connections::gate::{Deadlines, Gate};
use crate::serve::metrics::Metrics;

pub use descriptors::raise as raise_descriptors;
pub use head::Refusal;

/// How long to wait when the system has no connection to give (no file descriptors left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long a connection without a request stays after a stop, for what is on its way out.
const LINGER: Duration = Duration::from_millis(250);
/// How long a request that has not come whole may go on coming after a stop.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Bytes of an answer, or of a request, that wait in memory for one connection.
const MAX_BUFFERED_BYTES: usize = 64 * 1024;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections that are open at the same time.
    pub open: usize,
    /// Further connections, which get health or a word that the server is busy.
    pub extra: usize,
    /// How long they may take.
    pub deadlines: Deadlines,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { open: 4096, extra: 256, deadlines: Deadlines::default() }
    }
}

/// In the extra lane nobody stays.
const EXTRA_DEADLINES: Deadlines = Deadlines {
    silent: Duration::from_secs(2),
    head: Duration::from_secs(2),
    idle: Duration::from_millis(100),
    write: Duration::from_secs(2),
    drain: Duration::from_millis(500),
};

/// The other end of a connection, in the extensions of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// In the extensions of requests in the extra lane.
#[derive(Debug, Clone, Copy)]
pub struct Extra;

/// The open connections.
#[derive(Default)]
pub struct Connections {
    bounds: Bounds,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
    abandoned: CancellationToken,
}

impl Connections {
    /// None yet.
    pub fn new(bounds: Bounds, metrics: Arc<Metrics>) -> Self {
        Self { bounds, metrics, ..Self::default() }
    }

    /// Accepts and serves connections until `stop`; the listener is closed then, what is open is told to end.
    pub async fn accept(&self, listener: TcpListener, router: Router, stop: &CancellationToken) {
        let lanes = Lanes::new(&self.bounds);
        while let Some(next) = stop.run_until_cancelled(next(&listener)).await {
            let Some((stream, peer)) = next else { continue };
            let place = lanes.take(peer);
            let is_extra = !matches!(place, Some(Place { is_extra: false, .. }));
            if is_extra {
                self.metrics.refused("connections");
            }
            if let Some(place) = place {
                let connection = Connection {
                    router: router.clone(),
                    peer,
                    is_extra,
                    deadlines: if is_extra { EXTRA_DEADLINES } else { self.bounds.deadlines },
                    stop: stop.clone(),
                    abandoned: self.abandoned.clone(),
                };
                self.spawn(connection, stream, place);
            }
        }
        self.tasks.close();
    }

    /// Waits until all connections have ended; only after [`Self::accept`].
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }

    /// Drops the connections that are still open.
    pub async fn abandon(&self) {
        self.abandoned.cancel();
        self.tasks.wait().await;
    }

    fn spawn(&self, connection: Connection, stream: TcpStream, place: Place) {
        let counted = self.metrics.connection_opens();
        self.tasks.spawn(async move {
            connection.serve(stream).await;
            drop((place, counted));
        });
    }
}

/// The places for connections.
struct Lanes {
    open: Lane,
    extra: Lane,
    crowds: Arc<Crowds>,
}

struct Lane {
    places: Arc<Semaphore>,
    /// How many of them one address may have.
    share: usize,
}

/// A place, until it is dropped.
struct Place {
    is_extra: bool,
    _permit: OwnedSemaphorePermit,
    _member: Member,
}

impl Lanes {
    fn new(bounds: &Bounds) -> Self {
        let lane = |places| Lane { places: Arc::new(Semaphore::new(places)), share: share(places) };
        Self { open: lane(bounds.open), extra: lane(bounds.extra), crowds: Arc::default() }
    }

    /// A place for one more connection of an address, if there is one.
    fn take(&self, peer: IpAddr) -> Option<Place> {
        let member = self.crowds.enter(peer);
        let permit = |lane: &Lane, most| {
            let has_share = member.number <= most;
            has_share.then(|| Arc::clone(&lane.places).try_acquire_owned().ok()).flatten()
        };
        let (is_extra, permit) = match permit(&self.open, self.open.share) {
            Some(permit) => (false, permit),
            None => (true, permit(&self.extra, self.open.share + self.extra.share)?),
        };
        Some(Place { is_extra, _permit: permit, _member: member })
    }
}

async fn next(listener: &TcpListener) -> Option<(TcpStream, IpAddr)> {
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer.ip().to_canonical())),
        Err(error) => {
            use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
            // These are one caller's, who is gone; others are the system's, and come again at once.
            if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
                tracing::warn!(%error, "no connection could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            None
        }
    }
}

/// How one connection is served.
struct Connection {
    router: Router,
    peer: IpAddr,
    is_extra: bool,
    deadlines: Deadlines,
    stop: CancellationToken,
    abandoned: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its small packets back");
        }
        let exchange = Exchange::default();
        let gate = Gate::new(stream, exchange.clone(), self.deadlines);
        let (peer, is_extra, inner) = (Peer(self.peer), self.is_extra, exchange.clone());
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            if is_extra {
                request.extensions_mut().insert(Extra);
            }
            if let Some(refusal) = inner.take_refusal() {
                request.extensions_mut().insert(refusal);
            }
            let (answer, exchange) = (router.call(request), inner.clone());
            async move { Ok::<_, Infallible>(answer.await?.map(|body| exchange.answer(body))) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // The gate has the deadlines, and tells its callers.
            .header_read_timeout(None)
            .max_buf_size(MAX_BUFFERED_BYTES)
            .serve_connection(TokioIo::new(gate), service);
        tokio::pin!(connection);
        tokio::select! {
            biased;
            ended = connection.as_mut() => return note(ended),
            () = self.stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let is_answering = exchange.is_answering();
        tokio::select! {
            biased;
            ended = connection => note(ended),
            // Nothing was asked, or half a request: there is nothing to wait for.
            () = tokio::time::sleep(LINGER), if !is_answering => {}
            () = keeps_receiving(&exchange) => {}
            () = self.abandoned.cancelled() => {}
        }
    }
}

/// Ends when the body of a request has not come whole for too long; else never.
async fn keeps_receiving(exchange: &Exchange) {
    tokio::time::sleep(LAST_WORDS).await;
    if !exchange.is_receiving() {
        std::future::pending::<()>().await;
    }
}

/// A caller that goes away, or says nothing in time, is no trouble of ours.
fn note(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests;

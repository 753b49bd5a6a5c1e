//! Accepts connections within bounds, and ends them at a stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long to wait when the system has no connection to give (no file descriptors left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long a connection without a request stays after a stop, for what is on its way out.
const LINGER: Duration = Duration::from_millis(250);

/// The other end of a connection: in the extensions of each of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections that are open at the same time; others wait in the system's backlog.
    pub open: usize,
    /// How long the head of a request may take, counted from the connection's beginning or the answer before.
    pub head: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { open: 1024, head: Duration::from_secs(10) }
    }
}

/// The open connections.
#[derive(Default)]
pub struct Connections {
    bounds: Bounds,
    tasks: TaskTracker,
    abandoned: CancellationToken,
}

impl Connections {
    /// Accepts and serves connections until `stop`; the listener is closed then, what is open is told to end.
    pub async fn accept(&self, listener: TcpListener, router: Router, stop: &CancellationToken) {
        let places = Arc::new(Semaphore::new(self.bounds.open));
        while let Some(next) = stop.run_until_cancelled(self.next(&listener, &places)).await {
            let Some((stream, peer, place)) = next else { continue };
            let connection = Connection {
                router: router.clone(),
                head: self.bounds.head,
                stop: stop.clone(),
                abandoned: self.abandoned.clone(),
            };
            self.tasks.spawn(async move {
                connection.serve(stream, Peer(peer)).await;
                drop(place);
            });
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

    async fn next(
        &self,
        listener: &TcpListener,
        places: &Arc<Semaphore>,
    ) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, peer)) => Some((stream, peer, place)),
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
}

/// How one connection is served.
struct Connection {
    router: Router,
    head: Duration,
    stop: CancellationToken,
    abandoned: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream, peer: Peer) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its small packets back");
        }
        let running = Running::default();
        let counter = running.clone();
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let running = counter.begin();
            let answer = router.call(request);
            async move {
                let answer = answer.await?;
                Ok::<_, Infallible>(answer.map(|body| Counted { body, _running: running }))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        tokio::select! {
            biased;
            ended = connection.as_mut() => return note(ended),
            () = self.stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let is_answering = running.is_any();
        tokio::select! {
            biased;
            ended = connection => note(ended),
            // Nothing was asked, or half a request: there is nothing to wait for.
            () = tokio::time::sleep(LINGER), if !is_answering => {}
            () = self.abandoned.cancelled() => {}
        }
    }
}

/// A caller that goes away, or says nothing in time, is no trouble of ours.
fn note(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Counts the requests of a connection that are being answered.
#[derive(Default, Clone)]
struct Running(Arc<AtomicUsize>);

impl Running {
    fn begin(&self) -> RunningOne {
        self.0.fetch_add(1, Ordering::SeqCst);
        RunningOne(self.clone())
    }

    fn is_any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// One of them, until it is dropped.
struct RunningOne(Running);

impl Drop for RunningOne {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A body that counts as running until its last byte is taken.
struct Counted {
    body: Body,
    _running: RunningOne,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_util::sync::CancellationToken;

    use super::{Bounds, Connections};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn the_head_of_a_request_may_not_take_long() {
        let server = Server::start(Bounds { head: Duration::from_millis(200), ..Bounds::default() }).await;
        for start in ["", "GET / HTTP/1.1\r\nHos"] {
            let mut slow = server.connect().await;
            slow.write_all(start.as_bytes()).await.unwrap();
            let ended = tokio::time::timeout(Duration::from_secs(5), slow.read_to_end(&mut Vec::new())).await;
            assert!(ended.is_ok(), "{start:?} keeps its connection");
        }
    }

    #[tokio::test]
    async fn connections_beyond_the_bound_wait() {
        let server = Server::start(Bounds { open: 1, head: LONG }).await;
        let first = server.connect().await;
        let mut second = server.connect().await;
        second.write_all(REQUEST).await.unwrap();
        let mut answer = [0; 12];
        let early = tokio::time::timeout(Duration::from_millis(200), second.read_exact(&mut answer)).await;
        assert!(early.is_err(), "there is no place yet");
        drop(first);
        second.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }

    #[tokio::test]
    async fn a_stop_ends_what_is_not_answering() {
        let server = Server::start(Bounds { head: LONG, ..Bounds::default() }).await;
        let mut open = Vec::new();
        for start in ["", "GET / HTTP/1.1\r\nHos", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
            let mut connection = server.connect().await;
            connection.write_all(start.as_bytes()).await.unwrap();
            open.push(connection);
        }
        let mut answered = vec![0; 12];
        open[2].read_exact(&mut answered).await.unwrap();
        let started = Instant::now();
        server.stop.cancel();
        server.task.await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }

    struct Server {
        address: String,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    impl Server {
        async fn start(bounds: Bounds) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let stop = CancellationToken::new();
            let stopped = stop.clone();
            let task = tokio::spawn(async move {
                let connections = Connections { bounds, ..Connections::default() };
                let router = Router::new().route("/", get(|| async { "good" }));
                connections.accept(listener, router, &stopped).await;
                connections.ended().await;
            });
            Self { address, stop, task }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(&self.address).await.unwrap()
        }
    }
}

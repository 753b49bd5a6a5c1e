//! The accept loop and the gate over real sockets, with short deadlines.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::{StreamExt as _, stream};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::serve::middleware::refused;

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(200);
/// Until a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);
const UNHURRIED: Deadlines = Deadlines { silent: LONG, head: LONG, idle: LONG, write: LONG, drain: SHORT };

/// H8: a silent connection, half a head and an idle connection are closed; only half a head gets an answer.
#[tokio::test]
async fn h8_silence_ends_connections() {
    for (deadlines, sent, answers) in [
        (Deadlines { silent: SHORT, ..UNHURRIED }, String::new(), &[][..]),
        (Deadlines { head: SHORT, ..UNHURRIED }, "GET / HTTP/1.1\r\nHos".to_owned(), &["408"]),
        (Deadlines { head: SHORT, ..UNHURRIED }, "\r\n\r".to_owned(), &["408"]),
        (Deadlines { idle: SHORT, ..UNHURRIED }, GET.to_owned(), &["200"]),
        (Deadlines { head: SHORT, ..UNHURRIED }, format!("{GET}GET / HT"), &["200", "408"]),
    ] {
        let server = Server::start(deadlines).await;
        assert_eq!(server.talk(sent.as_bytes()).await, answers, "{sent:?}");
        server.stop().await;
    }
}

/// H8: a head that comes byte by byte does not renew its deadline.
#[tokio::test]
async fn h8_a_dribbled_head_is_not_waited_for() {
    let server = Server::start(Deadlines { head: SHORT, ..UNHURRIED }).await;
    let (mut reading, mut writing) = server.connect().await.into_split();
    let dribble = async move {
        let start = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(4000));
        for byte in start.bytes() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, reading.read_to_end(&mut answer));
    tokio::join!(reading, dribble).0.expect("the server closes").unwrap_or_default();
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    server.stop().await;
}

/// H19: readers who never read are let go after the write deadline, and what is made for them with them.
#[tokio::test]
async fn h19_readers_who_never_read_are_let_go() {
    let server = Server::start(Deadlines { write: Duration::from_secs(1), ..UNHURRIED }).await;
    let mut readers = Vec::new();
    for _ in 0..200 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(1024).unwrap();
        let mut reader = socket.connect(server.address).await.unwrap();
        reader.write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        readers.push(reader);
    }
    server.until(|server| server.begun.load(Ordering::SeqCst) == 200).await;
    let asked = Instant::now();
    assert_eq!(server.talk(GET.replace("Host", "Connection: close\r\nHost").as_bytes()).await, ["200"]);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    server.until(|server| server.endless() == 0).await;
    drop(readers);
    server.stop().await;
}

/// A reader who is slow but reads keeps its connection.
#[tokio::test]
async fn slow_readers_are_not_let_go() {
    // On a busy machine this test itself may get no turn for a while.
    let deadline = SHORT * 5;
    let server = Server::start(Deadlines { write: deadline, idle: deadline, ..UNHURRIED }).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut reader = socket.connect(server.address).await.unwrap();
    reader.write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let (started, mut buffer) = (Instant::now(), vec![0; 1024 * 1024]);
    while started.elapsed() < deadline * 2 {
        assert_ne!(reader.read(&mut buffer).await.unwrap(), 0);
    }
    server.stop().await;
}

/// Beyond the bound an extra lane answers, and beyond that nobody waits.
#[tokio::test]
async fn connections_beyond_the_bound_do_not_wait() {
    let bounds = Bounds { open: 1, extra: 1, deadlines: UNHURRIED };
    let server = Server::start_with(bounds).await;
    let mut first = server.connect().await;
    first.write_all(GET.as_bytes()).await.unwrap();
    assert_eq!(read_one(&mut first).await, "200");
    let mut second = server.connect().await;
    second.write_all(b"GET /lane HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(read_one(&mut second).await, "202", "the extra lane");
    assert_eq!(server.talk(GET.as_bytes()).await, [""; 0], "closed at once");
    drop((first, second));
    let started = Instant::now();
    while server.talk(GET.replace("Host", "Connection: close\r\nHost").as_bytes()).await != ["200"] {
        assert!(started.elapsed() < PATIENCE, "places do not come back");
    }
    server.stop().await;
}

/// H23: whoever opens as many connections as it can leaves some to others, in both lanes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn h23_one_address_does_not_take_all_connections() {
    let server = Server::start_with(Bounds { open: 4, extra: 4, deadlines: UNHURRIED }).await;
    let mut held = Vec::new();
    for expected in ["200", "200", "200", "202", "202", "202"] {
        let mut connection = server.connect().await;
        connection.write_all(b"GET /lane HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert_eq!(read_one(&mut connection).await, expected);
        held.push(connection);
    }
    assert_eq!(server.talk(GET.as_bytes()).await, [""; 0], "closed at once");
    for expected in ["200", "202"] {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut connection = socket.connect(server.address).await.unwrap();
        connection.write_all(b"GET /lane HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert_eq!(read_one(&mut connection).await, expected, "another's");
        held.push(connection);
    }
    drop(held);
    server.stop().await;
}

/// H9: requests one after the other are answered one after the other; what is ambiguous ends the connection with one
/// answer, and what follows it is never taken for a request.
#[tokio::test]
async fn h9_never_two_answers_to_what_can_be_read_in_two_ways() {
    let server = Server::start(Deadlines { idle: SHORT, ..UNHURRIED }).await;
    let post = |headers: &str, body: &str| format!("POST /echo HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}");
    let chunks = "3\r\nabc\r\n0\r\n\r\n";
    let cases: &[(String, &[&str])] = &[
        (format!("{GET}{GET}\r\n{GET}"), &["200", "200", "200"]),
        (post("Content-Length: 3", "abc") + GET, &["200", "200"]),
        (post("Transfer-Encoding: chunked", chunks) + GET, &["200", "200"]),
        (post("Transfer-Encoding: chunked", "3\r\nabcd\r\n0\r\n\r\n") + GET, &["400"]),
        (post("Transfer-Encoding: chunked", "3;\nabc\r\n0\r\n\r\n") + GET, &["400"]),
        (post("Transfer-Encoding: chunked\r\nContent-Length: 3", chunks) + GET, &["400"]),
        (post("Content-Length: 3\r\nTransfer-Encoding: chunked", chunks) + GET, &["400"]),
        (post("Content-Length: 3\r\nContent-Length: 4", "abcd") + GET, &["400"]),
        (post("Content-Length: 3\r\nContent-Length: 3", "abc") + GET, &["400"]),
        (post("Transfer-Encoding: gzip, chunked", chunks) + GET, &["400"]),
        (post("Transfer-Encoding: xchunked", chunks) + GET, &["400"]),
        (post("Transfer-Encoding : chunked", chunks) + GET, &["400"]),
        (post("Transfer-Encoding:\r\n chunked", chunks) + GET, &["400"]),
        (post("A: b\rTransfer-Encoding: chunked", chunks) + GET, &["400"]),
        (post("A: b\nTransfer-Encoding: chunked", chunks) + GET, &["400"]),
        (post("Transfer-Encoding: chunked", chunks).replace("1.1", "1.0") + GET, &["400"]),
        (GET.replace("\r\n", "\n") + GET, &["400"]),
        (format!("{GET}BAD\r\n\r\n{GET}"), &["200", "400"]),
        (format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{GET}"), &["505"]),
    ];
    for (sent, answers) in cases {
        assert_eq!(server.talk(sent.as_bytes()).await, *answers, "{sent:?}");
    }
    server.stop().await;
}

/// H2, H12: who waits for an invitation gets one for a body that is read, and none for one that is not.
#[tokio::test]
async fn h12_only_bodies_that_are_read_are_invited() {
    let server = Server::start(UNHURRIED).await;
    let ask =
        |path: &str| format!("POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    let mut invited = server.connect().await;
    invited.write_all(ask("/echo").as_bytes()).await.unwrap();
    assert_eq!(read_one(&mut invited).await, "100");
    invited.write_all(b"abc").await.unwrap();
    assert_eq!(read_one(&mut invited).await, "200");
    assert_eq!(server.talk(ask("/unread").as_bytes()).await, ["403"]);
    assert_eq!(server.talk(ask("/echo").replace("100-continue", "200-ok").as_bytes()).await, ["417"]);
    server.stop().await;
}

/// The answer to a body that nobody reads arrives, though the caller sends on.
#[tokio::test]
async fn a_refusal_reaches_a_caller_who_sends_on() {
    let server = Server::start(UNHURRIED).await;
    let mut sent = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n".to_vec();
    sent.resize(sent.len() + 4_000_000, b'a');
    assert_eq!(server.talk(&sent).await, ["403"]);
    server.stop().await;
}

#[tokio::test]
async fn a_stop_ends_what_is_not_answering() {
    let server = Server::start(UNHURRIED).await;
    let mut open = Vec::new();
    for start in ["", "GET / HTTP/1.1\r\nHos", GET] {
        let mut connection = server.connect().await;
        connection.write_all(start.as_bytes()).await.unwrap();
        open.push(connection);
    }
    assert_eq!(read_one(&mut open[2]).await, "200");
    let took = server.stop().await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// A caller that stops in the middle of a body holds up a stop for a moment only.
#[tokio::test]
async fn a_stop_does_not_wait_for_the_rest_of_a_request() {
    let server = Server::start(UNHURRIED).await;
    let mut half = server.connect().await;
    half.write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(read_one(&mut half).await, "100");
    half.write_all(b"a").await.unwrap();
    let took = server.stop().await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// H14, B4: whatever is sent, the engine never answers by itself: every answer went through our layers.
#[tokio::test]
async fn h14_b4_no_bytes_get_an_answer_that_is_not_ours() {
    let hasty = Deadlines { silent: SHORT, head: SHORT, idle: SHORT, ..UNHURRIED };
    let server = Server::start(hasty).await;
    let mut runner = TestRunner::deterministic();
    let requests: Vec<Vec<u8>> = (0..600).map(|_| request().new_tree(&mut runner).unwrap().current()).collect();
    let outcomes = stream::iter(&requests).map(|request| server.exchange(request)).buffered(100);
    let answered = outcomes.collect::<Vec<_>>().await;
    for (request, answer) in requests.iter().zip(&answered) {
        let answer = String::from_utf8_lossy(answer);
        let heads = answer.matches("HTTP/1.").count() - answer.matches("HTTP/1.1 100 ").count();
        assert_eq!(heads, answer.matches("x-ours: 1").count(), "{:?}: {answer}", String::from_utf8_lossy(request));
    }
    let is_in =
        |status: &str| answered.iter().any(|answer| answer.starts_with(format!("HTTP/1.1 {status}").as_bytes()));
    assert!(is_in("200") && is_in("400") && is_in("408"), "the requests are of all kinds");
    server.stop().await;
}

/// Requests that are nearly right: parts of good ones and of bad ones in any order.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("GET / HTTP/1.1\r\n"),
        Just("POST /echo HTTP/1.1\r\n"),
        Just("HEAD /% HTTP/1.0\r\n"),
        Just("OPTIONS * HTTP/1.1\r\n"),
        Just("CONNECT x:1 HTTP/1.1\r\n"),
        Just("M-SEARCH //x/../y?%zz HTTP/1.1\r\n"),
        Just("GET http://x/ HTTP/1.1\r\n"),
        Just("Host: x\r\n"),
        Just("Content-Length: 3\r\n"),
        Just("Transfer-Encoding: chunked\r\n"),
        Just("Connection: keep-alive, upgrade\r\nUpgrade: h2c\r\n"),
        Just("Expect: 100-continue\r\n"),
        Just("X:\u{e4}\t;\r\n"),
        Just("\r\n"),
        Just("abc"),
        Just("0\r\n\r\n"),
    ];
    let damage = prop::option::of((any::<prop::sample::Index>(), any::<u8>()));
    (prop::collection::vec(part, 1..8), damage).prop_map(|(parts, damage)| {
        let mut bytes = parts.concat().into_bytes();
        if let Some((place, byte)) = damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    /// How many endless answers have begun.
    begun: Arc<AtomicUsize>,
}

impl Server {
    async fn start(deadlines: Deadlines) -> Self {
        Self::start_with(Bounds { deadlines, ..Bounds::default() }).await
    }

    async fn start_with(bounds: Bounds) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let begun = Arc::default();
        let router = router(&begun);
        let task = tokio::spawn(async move {
            let connections = Connections::new(bounds, Arc::default());
            connections.accept(listener, router, &stopped).await;
            // What is endless is cut, as the server does with answers after their grace.
            if tokio::time::timeout(Duration::from_secs(5), connections.ended()).await.is_err() {
                connections.abandon().await;
            }
        });
        Self { address, stop, task, begun }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends it, and reads until the server closes.
    async fn exchange(&self, sent: &[u8]) -> Vec<u8> {
        let (mut reading, mut writing) = self.connect().await.into_split();
        let mut answer = Vec::new();
        let both = async { tokio::join!(writing.write_all(sent), reading.read_to_end(&mut answer)) };
        // A reset after the last byte is as good as an end.
        let _ = tokio::time::timeout(PATIENCE, both).await.expect("the server closes");
        answer
    }

    /// The statuses of all answers.
    async fn talk(&self, sent: &[u8]) -> Vec<String> {
        let answer = self.exchange(sent).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].to_owned()).collect()
    }

    /// Endless answers that are alive: each holds a reference, as do this and the router.
    fn endless(&self) -> usize {
        Arc::strong_count(&self.begun) - 2
    }

    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < PATIENCE, "{} endless answers", self.endless());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops; how long that took.
    async fn stop(self) -> Duration {
        let started = Instant::now();
        self.stop.cancel();
        self.task.await.unwrap();
        started.elapsed()
    }
}

fn router(begun: &Arc<AtomicUsize>) -> Router {
    let begun = Arc::clone(begun);
    let stream = move || {
        begun.fetch_add(1, Ordering::SeqCst);
        let frames = stream::repeat((Bytes::from_static(&[b'a'; 8192]), Arc::clone(&begun)));
        Body::from_stream(frames.map(|(bytes, _)| Ok::<_, Infallible>(bytes)))
    };
    let lane = async |extra: Option<Extension<Extra>>| {
        if extra.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK }
    };
    Router::new()
        .route("/", get(async || "good"))
        .route("/lane", get(lane))
        .route("/echo", post(async |body: Bytes| body))
        .route("/unread", post(async |_: Request| StatusCode::FORBIDDEN))
        .route("/endless", get(async move || stream()))
        .layer(from_fn(refused::answer))
        .layer(map_response(async |mut response: Response| {
            response.headers_mut().insert("x-ours", HeaderValue::from_static("1"));
            response
        }))
}

/// The status of the next answer; its body is short enough to come with it.
async fn read_one(connection: &mut TcpStream) -> String {
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(PATIENCE, connection.read(&mut answer)).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&answer[..read]).chars().skip("HTTP/1.1 ".len()).take(3).collect()
}

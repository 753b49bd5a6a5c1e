//! What the server adds to each event of a stream.
//!
//! The model runs in this process and writes the time into each piece; readers, also here, compare it with the time at
//! which the piece reaches them over a real connection.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chatbotctl::app;
use chatbotctl::config::{Inputs, Settings, resolve};
use chatbotctl::llm::{ChatModel, ChatRequest, LlmError, ModelEvent};
use chatbotctl::serve;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Options;
use crate::bot::make_folder;
use crate::client::{Client, Endpoint, percentile};

const READERS: u32 = 200;
const EVENTS_A_SECOND: u32 = 100;
/// Begins the time within a piece.
const MARK: &[u8] = b" at:";

static BASE: OnceLock<Instant> = OnceLock::new();

/// Nanoseconds since the measurement began.
fn now() -> u64 {
    u64::try_from(BASE.get_or_init(Instant::now).elapsed().as_nanos()).unwrap()
}

/// Writes the time, again and again.
struct Stamping {
    events: u32,
}

impl ChatModel for Stamping {
    fn name(&self) -> &'static str {
        "stamping"
    }

    fn stream(&self, _request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>> {
        let begun = tokio::time::Instant::now();
        let pieces = stream::iter(0..self.events).then(move |number| async move {
            tokio::time::sleep_until(begun + Duration::from_secs(1) * number / EVENTS_A_SECOND).await;
            Ok(ModelEvent::Text(format!("{}{} ", String::from_utf8_lossy(MARK), now())))
        });
        pieces.boxed()
    }
}

/// Server on one runtime, readers on another, as on a machine with both.
pub fn measure(options: &Options) {
    let folder = make_folder(20);
    let events = u32::try_from(options.seconds.as_secs()).unwrap() * EVENTS_A_SECOND;
    let stop = CancellationToken::new();
    let (tell, told) = std::sync::mpsc::channel();
    let stopped = stop.clone();
    let settings = settings(folder.path());
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async move {
            let index = app::open_index(&settings).unwrap();
            let mut deps = app::serve_deps(&settings, index).await.unwrap();
            deps.engine.model = Arc::new(Stamping { events });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            serve::run(listener, deps, stopped).await.unwrap();
        });
    });
    let endpoint = Endpoint::of(&format!("http://{}", told.recv().unwrap()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut late = runtime.block_on(read_all(&endpoint));
    late.sort_unstable();
    let [p50, p99, most] = [500, 990, 1000].map(|share| percentile(&late, share).as_secs_f64() * 1000.0);
    println!(
        "{READERS} readers at {EVENTS_A_SECOND} events a second: an event takes p50 {p50:.2} ms, p99 {p99:.2} ms, at the most {most:.2} ms ({} events)",
        late.len()
    );
    stop.cancel();
    server.join().unwrap();
}

fn settings(folder: &std::path::Path) -> Settings {
    let values = [("STATE_DIR", folder.join("state")), ("DOCS_DIR", folder.join("data"))];
    let environment = values.into_iter().map(|(name, path)| (name.into(), path.into())).collect();
    let inputs = Inputs { environment, folder: folder.to_owned(), ..Inputs::default() };
    resolve(&inputs, &BTreeMap::new()).settings.unwrap()
}

async fn read_all(endpoint: &Endpoint) -> Vec<Duration> {
    let readers = (0..READERS).map(|number| async move {
        // Not all at the same moment: readers come when they come.
        tokio::time::sleep(Duration::from_secs(1) * number / READERS).await;
        let mut client = Client::connect(endpoint).await.unwrap();
        client.begin(&endpoint.create("How long does the delivery of a tent take?")).await.unwrap();
        let mut late = Vec::new();
        client.each_piece(MARK, |stamp| late.push(Duration::from_nanos(now().saturating_sub(stamp)))).await.unwrap();
        late
    });
    futures_util::future::join_all(readers).await.into_iter().flatten().collect()
}

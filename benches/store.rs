//! What a conversation's writes cost, each of them synced to disk: `cargo bench --bench store` prints one line a figure.
//!
//! One round is what a first question and its answer ask of the store: the thread with the question, the automatic
//! title, the newest items, the answer. It is measured with 1, 8 and 64 of them under way.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up may stop")]
#![expect(clippy::print_stdout, reason = "its figures are its result")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatbotctl::clock::{IdSource, RandomIds};
use chatbotctl::model::thread::{
    AssistantMessage, InferenceOptions, ItemContent, Principal, Thread, ThreadItem, ThreadStatus, UserContent,
    UserMessage,
};
use chatbotctl::store::{self, Store};
use jiff::Timestamp;

const CONCURRENCIES: [usize; 3] = [1, 8, 64];
/// How long each concurrency is measured.
const TIME: Duration = Duration::from_secs(4);
const HISTORY: u32 = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    for concurrency in CONCURRENCIES {
        let path = folder.path().join(format!("{concurrency}.db"));
        runtime.block_on(measure(&path, concurrency));
    }
}

async fn measure(path: &Path, concurrency: usize) {
    let store = store::open_path(path).await.unwrap();
    let until = Instant::now() + TIME;
    let started = Instant::now();
    let visitors: Vec<_> =
        (0..concurrency).map(|number| tokio::spawn(visitor(Arc::clone(&store), number, until))).collect();
    let mut times = Vec::new();
    for visitor in visitors {
        times.extend(visitor.await.unwrap());
    }
    let seconds = started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!(
        "{concurrency:>3} at once: {:>7.0} rounds a second ({:>7.0} writes), p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms",
        times.len() as f64 / seconds,
        times.len() as f64 * 3.0 / seconds,
        at(50),
        at(99),
        at(100),
    );
    store.close().await;
}

/// Asks and is answered until the time is over; tells how long each round took.
async fn visitor(store: Arc<dyn Store>, number: usize, until: Instant) -> Vec<Duration> {
    let who = Principal { id: format!("visitor {number}") };
    let mut times = Vec::new();
    while Instant::now() < until {
        let started = Instant::now();
        round(store.as_ref(), &who).await;
        times.push(started.elapsed());
    }
    times
}

async fn round(store: &dyn Store, who: &Principal) {
    let thread = Thread {
        id: RandomIds.new_id("thr"),
        created_at: Timestamp::now(),
        title: None,
        title_is_users: false,
        status: ThreadStatus::Active,
    };
    let question = UserMessage {
        content: vec![UserContent::InputText { text: "How long does a refund take, and who pays for it?".to_owned() }],
        attachments: Vec::new(),
        quoted_text: None,
        inference_options: InferenceOptions::default(),
    };
    let text = "Refunds are made within five working days of the parcel's arrival. ".repeat(4);
    let answer = AssistantMessage { text, ..AssistantMessage::default() };
    store.create_thread(who, &thread, &item(&thread.id, ItemContent::UserMessage(question))).await.unwrap();
    store.set_automatic_title(who, &thread.id, "How long does a refund take?").await.unwrap().unwrap();
    assert_eq!(store.recent(who, &thread.id, HISTORY).await.unwrap().len(), 1);
    store.add_item(who, &item(&thread.id, ItemContent::AssistantMessage(answer))).await.unwrap();
}

fn item(thread_id: &str, content: ItemContent) -> ThreadItem {
    ThreadItem { id: RandomIds.new_id("msg"), thread_id: thread_id.to_owned(), created_at: Timestamp::now(), content }
}

//! Visitors who leave, stop reading or never read: what there is of an answer is kept, the model's work is dropped,
//! and the thread goes on (H19).

use std::time::Duration;

use axum::response::Response;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::bot::{Bot, Browser, Setup, Step, counted, input, until};
use crate::config::AuthMode;
use crate::model::item::Cue;
use crate::model::thread::{ItemContent, Principal, Thread, ThreadItem, ThreadStatus, UserMessage};
use crate::serve::answering::{self, Question};
use crate::serve::history::STOPPED;
use crate::serve::state::AppState;

const WORD: &str = "word ";
/// A delta that fills the buffers of a connection quickly.
const BIG: &str = match std::str::from_utf8(&[b'x'; 65_536]) {
    Ok(text) => text,
    Err(_) => "",
};

/// H19: forty hang-ups, each after one more frame, and from the first one on a model that would never end.
#[tokio::test]
async fn a_hang_up_at_any_moment_keeps_what_there_is() {
    let mut script = Vec::new();
    for _ in 0..40 {
        script.extend([Step::Text(WORD), Step::Wait]);
    }
    let bot = local(script).await;
    let browser = bot.browser().await;
    let (thread_id, _) = finished_thread(&bot, &browser).await;
    for round in 0..40 {
        let mut caller = Caller::ask(&bot, &thread_id, &format!("round {round}")).await;
        for frame in 0..round {
            // The first five frames come before the model's words; each word after the first waits for this.
            if frame > 5 {
                bot.go_on();
            }
            caller.read_frames(frame + 1).await;
        }
        let heard = caller.seen.matches("text_delta").count();
        drop(caller);
        let items = settled(&bot, &thread_id, round).await;
        assert_eq!(bot.watch.running(), 0, "round {round}: the model still works");
        let kept = partial(&items).unwrap_or_default();
        assert!(kept.len() >= heard * WORD.len(), "round {round}: {heard} words were heard, kept is {kept:?}");
        assert_eq!(kept, WORD.repeat(kept.len() / WORD.len()), "round {round}");
    }
    assert_eq!(questions(&bot, &thread_id).await, 40, "no question is lost or doubled");
    bot.stop().await;
}

/// H19: ten who stop reading until every buffer between is full, and then close.
#[tokio::test]
async fn a_hang_up_after_reading_stopped_keeps_what_there_is() {
    let bot = local(vec![Step::Text(BIG); 4_000]).await;
    let browser = bot.browser().await;
    let (thread_id, _) = finished_thread(&bot, &browser).await;
    *bot.script.lock().unwrap() = vec![Step::Text(BIG); 4_000];
    for round in 0..10 {
        let before = bot.watch.steps();
        let caller = Caller::ask(&bot, &thread_id, &format!("round {round}")).await;
        until("a model at work", || bot.watch.steps() >= before + 3 * (round + 1)).await;
        drop(caller);
        let items = settled(&bot, &thread_id, round).await;
        assert_eq!(bot.watch.running(), 0, "round {round}: the model still works");
        let taken = bot.watch.steps() - before;
        assert!(taken < 4_000, "the model waits for its reader");
        let kept = partial(&items).unwrap_or_default();
        assert!(!kept.is_empty() && kept.len() <= taken * BIG.len(), "round {round}: {} of {taken}", kept.len());
    }
    assert_eq!(questions(&bot, &thread_id).await, 10);
    bot.stop().await;
}

/// H19: who never reads is given up by the answer itself, whatever becomes of the connection.
#[tokio::test]
async fn an_answer_that_nobody_reads_ends() {
    let bot = local(vec![Step::Text(WORD); 10_000]).await;
    let state = bot.state();
    let (question, who) = asked(&state).await;
    let thread_id = question.thread.id.clone();
    let unread: Response = answering::start_with_patience(&state, question, Duration::from_millis(50));
    // The answer gives its slot back last.
    until("the end of the answer", || counted(&state).contains(r#"outcome="stalled"} 1"#)).await;
    state.busy.take(&thread_id).await.expect("the slot is free again");
    assert!(bot.watch.begun_and_ended(), "the model still works");
    assert!(bot.watch.steps() < 100, "a few frames and no more: {}", bot.watch.steps());
    let items = state.store.recent(&who, &thread_id, 10).await.unwrap();
    assert!(partial(&items).is_some_and(|kept| !kept.is_empty()));
    assert!(matches!(items[0].content, ItemContent::SdkHiddenContext(_)));
    let told = axum::body::to_bytes(unread.into_body(), usize::MAX).await.unwrap();
    let told = super::bot::events(std::str::from_utf8(&told).unwrap());
    assert_eq!(*told.last().unwrap(), json!({"type": "error", "code": "stream.error", "allow_retry": true}));
    let counted = counted(&state);
    assert!(counted.contains(r#"chatbotctl_answers_total{outcome="stalled"} 1"#), "{counted}");
    assert!(counted.contains("chatbotctl_streams 0"), "{counted}");
    bot.stop().await;
}

/// H19, M9: the model is told of the stop, once, and no visitor is.
#[tokio::test]
async fn the_model_learns_that_its_answer_was_stopped() {
    let bot = local(vec![Step::Text(WORD), Step::Wait]).await;
    let browser = bot.browser().await;
    let (thread_id, _) = finished_thread(&bot, &browser).await;
    let mut caller = Caller::ask(&bot, &thread_id, "stop this").await;
    caller.read_until("text_delta").await;
    drop(caller);
    until("the end of the model's work", || bot.watch.begun_and_ended()).await;
    *bot.script.lock().unwrap() = super::bot::usual_script();
    let add = json!({"thread_id": thread_id, "input": input("go on")});
    browser.stream("threads.add_user_message", add.clone()).await;
    browser.stream("threads.add_user_message", add).await;
    let asked: Vec<Vec<String>> =
        bot.asked.lock().unwrap().iter().rev().take(2).map(|one| one.hidden.clone()).collect();
    assert_eq!(asked, [vec![], vec![STOPPED.to_owned()]], "news once; newest first");
    let told = browser.call("threads.get_by_id", json!({"thread_id": thread_id})).await;
    assert!(!told.to_string().contains(STOPPED) && !told.to_string().contains("sdk_hidden_context"));
    bot.stop().await;
}

async fn local(script: Vec<Step>) -> Bot {
    Bot::start(Setup { auth_mode: AuthMode::Off, script, ..Setup::default() }).await
}

fn owner() -> Principal {
    Principal { id: "local".to_owned() }
}

/// A thread whose first answer is whole; the script stays what it was.
async fn finished_thread(bot: &Bot, browser: &Browser) -> (String, Vec<Value>) {
    let script = std::mem::replace(&mut *bot.script.lock().unwrap(), super::bot::usual_script());
    let asked = browser.ask("a first question").await;
    *bot.script.lock().unwrap() = script;
    asked
}

/// A stored question, ready to be answered without a connection.
pub async fn asked(state: &AppState) -> (Question, Principal) {
    let who = owner();
    let thread = Thread {
        id: state.ids.new_id("thr"),
        created_at: state.clock.now(),
        title: None,
        title_is_users: false,
        status: ThreadStatus::Active,
    };
    let message: UserMessage =
        serde_json::from_value(json!({"content": [{"type": "input_text", "text": "q"}]})).unwrap();
    let item = ThreadItem {
        id: state.ids.new_id("msg"),
        thread_id: thread.id.clone(),
        created_at: state.clock.now(),
        content: ItemContent::UserMessage(message.clone()),
    };
    state.store.create_thread(&who, &thread, &item).await.unwrap();
    let slot = state.busy.take(&thread.id).await.unwrap();
    let question = Question {
        who: who.clone(),
        message: Some((item.id, message)),
        cue: Cue::Message,
        opening: Vec::new(),
        changes: Vec::new(),
        thread,
        is_new: false,
        slot,
    };
    (question, who)
}

/// The newest items once the stop of this round is noted, newest first, up to this round's question.
async fn settled(bot: &Bot, thread_id: &str, round: usize) -> Vec<ThreadItem> {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let items = bot.store.recent(&owner(), thread_id, 4).await.unwrap();
        let asked = items.iter().position(|item| text_of(item) == Some(format!("round {round}")));
        if let Some(asked) = asked
            && matches!(items[0].content, ItemContent::SdkHiddenContext(_))
        {
            return items[..asked].to_vec();
        }
        assert!(std::time::Instant::now() < deadline, "round {round}: the stop is not noted: {items:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn text_of(item: &ThreadItem) -> Option<String> {
    match &item.content {
        ItemContent::UserMessage(message) => Some(message.text()),
        _ => None,
    }
}

fn partial(items: &[ThreadItem]) -> Option<String> {
    items.iter().find_map(|item| match &item.content {
        ItemContent::AssistantMessage(message) => Some(message.text.clone()),
        _ => None,
    })
}

/// Questions of the rounds, after the first question.
async fn questions(bot: &Bot, thread_id: &str) -> usize {
    let items = bot.store.recent(&owner(), thread_id, 1_000).await.unwrap();
    items.iter().filter(|item| matches!(item.content, ItemContent::UserMessage(_))).count() - 1
}

/// A connection that reads what it wants, and has little room for what it does not read.
struct Caller {
    connection: TcpStream,
    seen: String,
}

impl Caller {
    async fn ask(bot: &Bot, thread_id: &str, text: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let mut connection = socket.connect(bot.address.parse().unwrap()).await.unwrap();
        let params = json!({"thread_id": thread_id, "input": input(text)});
        let body = json!({"type": "threads.add_user_message", "params": params}).to_string();
        let request = format!(
            "POST /knowledge/chatkit HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            bot.address,
            body.len(),
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut caller = Self { connection, seen: String::new() };
        // From here on the message is stored, and its answer has begun.
        caller.read_until("HTTP/1.1 200").await;
        caller
    }

    async fn read_frames(&mut self, count: usize) {
        while self.seen.matches("data: ").count() < count {
            self.read().await;
        }
    }

    async fn read_until(&mut self, mark: &str) {
        while !self.seen.contains(mark) {
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let mut bytes = [0; 512];
        let read = tokio::time::timeout(Duration::from_secs(10), self.connection.read(&mut bytes));
        let count = read.await.expect("more of the answer").unwrap();
        assert!(count > 0, "the answer ended: {}", self.seen);
        self.seen.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
}

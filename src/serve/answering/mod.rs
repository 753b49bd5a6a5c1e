//! One answer, from the question's acknowledgement to the last write, in a task of its own.
//!
//! The task outlives the connection. When the client hangs up (or the server stops), the engine's work is dropped
//! and what there is of the answer is stored. Nothing is told as done before it is stored.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::answer::{AnswerError, AnswerEvent, Turn};
use crate::chatkit::{Event, Item, StreamOptions, ThreadObject, Update, frame};
use crate::model::item::{Cue, Link};
use crate::model::thread::{AssistantMessage, ItemContent, Principal, Thread, ThreadItem, UserMessage};
use crate::model::{Answer, Citation};
use crate::serve::busy::Slot;
use crate::serve::error::log_cause;
use crate::serve::state::AppState;
use crate::serve::{history, request_id, title};
use crate::store::StoreError;

/// Frames that may wait for a slow reader; then the engine waits too.
const MAX_WAITING_FRAMES: usize = 32;

/// A stored question that is to be answered.
pub struct Question {
    /// Who asks.
    pub who: Principal,
    /// The thread.
    pub thread: Thread,
    /// The stored user message that is answered; `None` when the turn begins with something else.
    pub message: Option<(String, UserMessage)>,
    /// What the turn begins with.
    pub cue: Cue,
    /// Frames that acknowledge what was stored, before all others.
    pub opening: Vec<String>,
    /// Frames that tell what the request changed, after the stream's options.
    pub changes: Vec<String>,
    /// The right to answer in this thread.
    pub slot: Slot,
}

/// Starts the answer and returns the stream of its events.
pub fn start(state: &AppState, question: Question) -> Response {
    let (frames, reader) = mpsc::channel(MAX_WAITING_FRAMES);
    let answering = Answering { state: state.clone(), question, frames, draft: Draft::default() };
    let id = request_id::current();
    state.answers.spawn(request_id::scope(id, answering.run()));
    let body = ReceiverStream::new(reader).map(|frame| Ok::<_, std::convert::Infallible>(Bytes::from(frame)));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    (StatusCode::OK, headers, Body::from_stream(body)).into_response()
}

/// What a message asks. What it points at is half of the question.
fn words_of(message: &UserMessage) -> String {
    let text = message.text();
    match &message.quoted_text {
        Some(quoted) => format!("{text}\n\n{quoted}"),
        None => text,
    }
}

struct Answering {
    state: AppState,
    question: Question,
    frames: mpsc::Sender<String>,
    draft: Draft,
}

/// The answer so far.
#[derive(Default)]
struct Draft {
    /// Id and time of the assistant message, once it is announced.
    announced: Option<(String, Timestamp)>,
    text: String,
    citations: Vec<Citation>,
    links: Vec<Link>,
    /// Citations that did not hold; known once the answer is whole.
    dropped_markers: u32,
}

/// Why an answer is not told to its end.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    #[error("the client hung up")]
    HungUp,
    #[error("the server stops")]
    Stopping,
    #[error("the engine failed")]
    Engine(#[from] AnswerError),
    #[error("the engine ended without an answer")]
    NoAnswer,
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Answering {
    async fn run(mut self) {
        let started = Instant::now();
        let outcome = match AssertUnwindSafe(self.answer()).catch_unwind().await {
            Ok(Ok(())) => "done",
            Ok(Err(interruption)) => self.end_early(interruption).await,
            Err(_) => {
                tracing::error!(request.id = %request_id::current(), "an answer panicked");
                self.send_last(&Event::stream_error(true));
                "panicked"
            }
        };
        tracing::info!(
            request.id = %request_id::current(),
            thread.id = %self.question.thread.id,
            outcome,
            citations = self.draft.citations.len(),
            dropped_markers = self.draft.dropped_markers,
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answer ended"
        );
        // Before the stream ends: who reads its end may ask the next question.
        drop(self.question.slot);
    }

    async fn answer(&mut self) -> Result<(), Interruption> {
        for opening in std::mem::take(&mut self.question.opening) {
            self.send_frame(opening).await?;
        }
        let stream_options = StreamOptions { allow_cancel: true };
        self.send(&Event::StreamOptions { stream_options }).await?;
        for change in std::mem::take(&mut self.question.changes) {
            self.send_frame(change).await?;
        }
        let (icon, text) = ("search", "Searching documents");
        self.send(&Event::Progress { icon, text }).await?;
        self.give_title().await?;
        let turn = self.turn().await?;
        let mut events = self.state.live().engine.answer(turn);
        loop {
            let event = tokio::select! {
                biased;
                () = self.frames.closed() => return Err(Interruption::HungUp),
                () = self.state.cut.cancelled() => return Err(Interruption::Stopping),
                event = events.next() => event,
            };
            match event {
                Some(Ok(AnswerEvent::Delta(text))) => self.tell_text(&text).await?,
                Some(Ok(AnswerEvent::Citation(citation))) => self.tell_citation(citation).await?,
                Some(Ok(AnswerEvent::Retrieved { .. } | AnswerEvent::Link(_) | AnswerEvent::Beside(_))) => {}
                Some(Ok(AnswerEvent::Done(answer))) => return self.finish(answer).await,
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Interruption::NoAnswer),
            }
        }
    }

    /// Gives the thread a title if it has none; a title that came meanwhile stays.
    async fn give_title(&mut self) -> Result<(), Interruption> {
        if self.question.thread.title.is_some() {
            return Ok(());
        }
        let asked = self.question.message.as_ref().map(|(_, message)| message.text());
        let Some(title) = asked.as_deref().and_then(title::automatic_title) else {
            return Ok(());
        };
        let (store, who) = (&self.state.store, &self.question.who);
        let changed = store.set_automatic_title(who, &self.question.thread.id, &title).await?;
        match changed {
            Some(thread) => {
                let thread = ThreadObject::from(&thread);
                self.send(&Event::ThreadUpdated { thread }).await
            }
            None => Ok(()),
        }
    }

    async fn turn(&self) -> Result<Turn, Interruption> {
        let question = &self.question;
        let items = self.state.store.recent(&question.who, &question.thread.id, history::ITEMS).await?;
        let asked = question.message.as_ref().map(|(item_id, _)| item_id.as_str());
        Ok(Turn {
            history: history::exchanges(&items, asked),
            question: question.message.as_ref().map(|(_, message)| words_of(message)).unwrap_or_default(),
            cue: question.cue.clone(),
            hidden: history::hidden_context(&items),
            attached: Vec::new(),
        })
    }

    /// Announces the assistant message before its first piece.
    async fn announce(&mut self) -> Result<(), Interruption> {
        if self.draft.announced.is_some() {
            return Ok(());
        }
        let id = self.state.ids.new_id("msg");
        self.draft.announced = Some((id.clone(), self.state.clock.now()));
        let item = self.item(&id, AssistantMessage::default());
        let item = Item::from(&item).without_content();
        self.send(&Event::ItemAdded { item }).await?;
        let empty = AssistantMessage::default();
        let content = (&empty).into();
        self.update(&id, Update::PartAdded { content_index: 0, content }).await
    }

    async fn tell_text(&mut self, delta: &str) -> Result<(), Interruption> {
        self.announce().await?;
        self.draft.text.push_str(delta);
        let id = self.announced_id();
        self.update(&id, Update::TextDelta { content_index: 0, delta }).await
    }

    async fn tell_citation(&mut self, citation: Citation) -> Result<(), Interruption> {
        self.announce().await?;
        let annotation_index = self.draft.citations.len();
        self.draft.citations.push(citation.clone());
        let id = self.announced_id();
        let update = Update::AnnotationAdded { content_index: 0, annotation_index, annotation: (&citation).into() };
        self.update(&id, update).await
    }

    /// Stores the whole answer, then tells that it is done.
    async fn finish(&mut self, answer: Answer) -> Result<(), Interruption> {
        if answer.text.trim().is_empty() {
            return Err(Interruption::NoAnswer);
        }
        self.draft.text = answer.text;
        self.draft.citations = answer.citations;
        self.draft.links = answer.links;
        self.draft.dropped_markers = answer.dropped_markers;
        self.announce().await?;
        let id = self.announced_id();
        let message = self.drafted();
        let content = (&message).into();
        self.update(&id, Update::PartDone { content_index: 0, content }).await?;
        let item = self.item(&id, message);
        self.state.store.add_item(&self.question.who, &item).await?;
        let item = (&item).into();
        if self.send(&Event::ItemDone { item }).await.is_err() {
            // It is stored; there is nothing left to keep.
            tracing::debug!("the end of an answer had no reader");
        }
        Ok(())
    }

    /// Deals with an answer that is not told to its end; says how it ended, for the log.
    async fn end_early(&mut self, interruption: Interruption) -> &'static str {
        match interruption {
            Interruption::HungUp => {
                self.keep_draft().await;
                "hung up"
            }
            Interruption::Stopping => {
                self.keep_draft().await;
                self.send_last(&Event::stream_error(true));
                "stopped"
            }
            Interruption::Store(StoreError::NoSuchThread) => {
                // Deleted meanwhile; it stays deleted.
                self.send_last(&Event::stream_error(false));
                "thread deleted"
            }
            failure => {
                log_cause("an answer failed", &failure);
                self.send_last(&Event::stream_error(true));
                "failed"
            }
        }
    }

    /// Stores what there is of the answer, if that is anything.
    async fn keep_draft(&mut self) {
        let Some((id, _)) = self.draft.announced.clone() else {
            return;
        };
        let message = self.drafted();
        if message.text.trim().is_empty() {
            return;
        }
        let item = self.item(&id, message);
        match self.state.store.add_item(&self.question.who, &item).await {
            Ok(()) | Err(StoreError::NoSuchThread) => {}
            Err(error) => log_cause("a partial answer is lost", &error),
        }
    }

    fn drafted(&self) -> AssistantMessage {
        AssistantMessage {
            text: self.draft.text.clone(),
            citations: self.draft.citations.clone(),
            links: self.draft.links.clone(),
        }
    }

    fn announced_id(&self) -> String {
        self.draft.announced.as_ref().map(|(id, _)| id.clone()).unwrap_or_default()
    }

    fn item(&self, id: &str, message: AssistantMessage) -> ThreadItem {
        let announced_at = self.draft.announced.as_ref().map(|(_, at)| *at);
        ThreadItem {
            id: id.to_owned(),
            thread_id: self.question.thread.id.clone(),
            created_at: announced_at.unwrap_or_else(|| self.state.clock.now()),
            content: ItemContent::AssistantMessage(message),
        }
    }

    async fn update(&self, item_id: &str, update: Update<'_>) -> Result<(), Interruption> {
        self.send(&Event::ItemUpdated { item_id, update }).await
    }

    async fn send(&self, event: &Event<'_>) -> Result<(), Interruption> {
        self.send_frame(frame(event)).await
    }

    async fn send_frame(&self, frame: String) -> Result<(), Interruption> {
        tokio::select! {
            biased;
            sent = self.frames.send(frame) => sent.map_err(|_| Interruption::HungUp),
            () = self.state.cut.cancelled() => Err(Interruption::Stopping),
        }
    }

    /// Sends a frame after which nothing follows, unless the client reads too slowly or not at all.
    fn send_last(&self, event: &Event<'_>) {
        if self.frames.try_send(frame(event)).is_err() {
            tracing::debug!("the last event of an answer had no reader");
        }
    }
}

//! One answer, from the question's acknowledgement to the last write, in a task of its own.
//!
//! The task outlives the connection. When the client hangs up, stops reading, or the server stops, the engine's work
//! is dropped and what there is of the answer is stored; when the thread is deleted, it is dropped and forgotten. Nothing is told as done before it is stored, and what
//! follows the first byte is well-formed events to the end.

mod attached;
mod beside;
mod draft;
mod interruption;
mod outlet;
mod pace;
mod partial;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::ReceiverStream;

use crate::answer::{AnswerEvent, Turn};
use crate::chatkit::{Annotation, Event, Item, StreamOptions, ThreadObject, Update, frame};
use crate::clock::hex;
use crate::model::item::{Cue, HiddenContext, Link};
use crate::model::thread::{AssistantMessage, ItemContent, Principal, Thread, ThreadItem, UserMessage};
use crate::model::{Answer, Citation};
use crate::serve::answering::beside::Aside;
use crate::serve::answering::draft::Draft;
use crate::serve::answering::interruption::{Interruption, Remains};
use crate::serve::answering::outlet::{Outlet, READER_PATIENCE};
use crate::serve::answering::pace::Pace;
use crate::serve::busy::Slot;
use crate::serve::error::log_cause;
use crate::serve::state::AppState;
use crate::serve::{history, request_id, title};
use crate::store::StoreError;

/// A stored question that is to be answered.
pub struct Question {
    /// Who asks.
    pub who: Principal,
    /// The thread.
    pub thread: Thread,
    /// Whether the thread was made for this message: nothing stands before it.
    pub is_new: bool,
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
    start_with_patience(state, question, READER_PATIENCE)
}

/// The same for a reader who is waited for no longer than this.
pub fn start_with_patience(state: &AppState, question: Question, patience: Duration) -> Response {
    let (outlet, reader) = Outlet::open(patience);
    let answering = Answering {
        state: state.clone(),
        question,
        outlet,
        draft: Draft::default(),
        pace: Pace::start(),
        aside: Aside::default(),
    };
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

/// A name of this visitor for services that ask whom they serve: it cannot be turned back, and is none of our ids.
fn visitor_name(who: &Principal) -> String {
    hex(&Sha256::new_with_prefix(b"chatbotctl visitor\0").chain_update(&who.id).finalize()[..16])
}

struct Answering {
    state: AppState,
    question: Question,
    outlet: Outlet,
    draft: Draft,
    pace: Pace,
    aside: Aside,
}

impl Answering {
    async fn run(mut self) {
        let running = self.state.metrics.answer_begins();
        let answered = AssertUnwindSafe(self.answer()).catch_unwind().await;
        self.pace.ends(&self.state.metrics);
        let outcome = match answered {
            Ok(Ok(())) => "done",
            Ok(Err(interruption)) => self.end_early(interruption).await,
            Err(_) => self.give_up(),
        };
        self.state.metrics.answer_ended(outcome);
        self.state.metrics.dropped_markers(self.draft.dropped_markers);
        self.state.metrics.unlocated_citations(self.draft.unlocated());
        tracing::info!(
            request.id = %request_id::current(),
            thread.id = %self.question.thread.id,
            outcome,
            citations = self.draft.citations.len(),
            dropped_markers = self.draft.dropped_markers,
            unlocated = self.draft.unlocated(),
            duration_ms = u64::try_from(self.pace.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answer ended"
        );
        // Before the stream ends: who reads its end may ask the next question.
        drop(running);
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
        if !matches!(self.question.cue, Cue::Action { .. }) {
            let (icon, text) = (Some("search"), "Searching documents");
            self.send(&Event::Progress { icon, text }).await?;
        }
        self.give_first_title().await?;
        let (turn, mut place) = self.turn().await?;
        let mut events = self.state.live().engine.answer(turn);
        loop {
            let event = tokio::select! {
                biased;
                interruption = self.interrupted() => return Err(interruption),
                event = events.next() => event,
            };
            match event {
                Some(Ok(AnswerEvent::Retrieved { took, .. })) => {
                    // What was attached is looked through; the model gets a few pieces of it.
                    drop(place.take());
                    self.pace.searched(&self.state.metrics, took);
                }
                Some(Ok(AnswerEvent::Delta(text))) => self.tell_text(&text).await?,
                Some(Ok(AnswerEvent::Citation(citation))) => self.tell_citation(citation).await?,
                Some(Ok(AnswerEvent::Link(link))) => self.tell_link(link).await?,
                Some(Ok(AnswerEvent::Beside(beside))) => self.tell_beside(beside).await?,
                Some(Ok(AnswerEvent::Used(_))) => {}
                Some(Ok(AnswerEvent::Done(answer))) => return self.finish(answer).await,
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Interruption::NoAnswer),
            }
        }
    }

    /// Names the thread after its question, or tells the name that it was made with.
    async fn give_first_title(&mut self) -> Result<(), Interruption> {
        if self.question.is_new && self.question.thread.title.is_some() {
            return self.send(&Event::ThreadUpdated { thread: ThreadObject::from(&self.question.thread) }).await;
        }
        let asked = self.question.message.as_ref().map(|(_, message)| message.text());
        self.give_title(asked.as_deref().and_then(title::of_question)).await
    }

    /// Gives the thread this title if it has none; one that came meanwhile stays.
    async fn give_title(&mut self, title: Option<String>) -> Result<(), Interruption> {
        let Some(title) = title.filter(|_| self.question.thread.title.is_none()) else {
            return Ok(());
        };
        let (store, who) = (&self.state.store, &self.question.who);
        let changed = store.set_automatic_title(who, &self.question.thread.id, &title).await?;
        let Some(thread) = changed else {
            return Ok(());
        };
        self.send(&Event::ThreadUpdated { thread: ThreadObject::from(&thread) }).await?;
        self.question.thread = thread;
        Ok(())
    }

    /// The turn, and the right to hold the text that comes with it.
    async fn turn(&self) -> Result<(Turn, Option<OwnedSemaphorePermit>), Interruption> {
        let question = &self.question;
        let items = if question.is_new {
            Vec::new()
        } else {
            self.state.store.recent(&question.who, &question.thread.id, history::ITEMS).await?
        };
        let asked = question.message.as_ref().map(|(item_id, _)| item_id.as_str());
        let attached = self.attached().await?;
        let turn = Turn {
            history: history::exchanges(&items, asked),
            question: self.asked(&items),
            cue: question.cue.clone(),
            hidden: [history::hidden_context(&items), attached.notes].concat(),
            attached: attached.hits,
            visitor: Some(visitor_name(&question.who)),
        };
        Ok((turn, attached.place))
    }

    /// What is to be answered: the message, or the last one when a tool or a form was asked for in between.
    fn asked(&self, newest_first: &[ThreadItem]) -> String {
        match (&self.question.message, &self.question.cue) {
            (Some((_, message)), _) => words_of(message),
            (None, Cue::Action { .. }) => String::new(),
            (None, _) => history::newest_message(newest_first).map(words_of).unwrap_or_default(),
        }
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
        self.draft.text.push_str(delta);
        self.announce().await?;
        let id = self.announced_id();
        self.update(&id, Update::TextDelta { content_index: 0, delta }).await?;
        self.pace.speaks(&self.state.metrics);
        Ok(())
    }

    async fn tell_citation(&mut self, citation: Citation) -> Result<(), Interruption> {
        self.draft.citations.push(citation.clone());
        self.tell_mark((&citation).into()).await
    }

    async fn tell_link(&mut self, link: Link) -> Result<(), Interruption> {
        let link = Link { annotation_index: self.draft.marks(), ..link };
        self.draft.links.push(link.clone());
        self.tell_mark((&link).into()).await
    }

    /// Tells the mark that was just taken into the draft.
    async fn tell_mark(&mut self, annotation: Annotation<'_>) -> Result<(), Interruption> {
        self.announce().await?;
        let id = self.announced_id();
        let annotation_index = self.draft.marks().saturating_sub(1);
        self.update(&id, Update::AnnotationAdded { content_index: 0, annotation_index, annotation }).await
    }

    /// Stores the whole answer, then tells that it is done.
    async fn finish(&mut self, answer: Answer) -> Result<(), Interruption> {
        if answer.text.trim().is_empty() {
            return self.finish_without_text().await;
        }
        let title = title::of_answer(&answer);
        self.draft.complete(answer);
        self.announce().await?;
        let id = self.announced_id();
        let message = self.draft.message();
        let content = (&message).into();
        self.update(&id, Update::PartDone { content_index: 0, content }).await?;
        let item = self.item(&id, message);
        self.state.store.add_item(&self.question.who, &item).await?;
        self.draft.is_stored = true;
        let item = (&item).into();
        if self.send(&Event::ItemDone { item }).await.is_err() {
            // It is stored; there is nothing left to keep.
            tracing::debug!("the end of an answer had no reader");
        }
        self.tell_waiting().await?;
        if let Err(error) = self.give_title(title).await {
            tracing::debug!(%error, "the title of a thread had no reader");
        }
        Ok(())
    }

    /// A turn without a message is one when it did something else, or when a widget asked for it.
    async fn finish_without_text(&mut self) -> Result<(), Interruption> {
        let is_turn = self.aside.has_acted() || matches!(self.question.cue, Cue::Action { .. });
        if self.draft.announced.is_some() || !is_turn {
            return Err(Interruption::NoAnswer);
        }
        self.tell_waiting().await
    }

    /// Deals with an answer that is not told to its end; says how it ended.
    async fn end_early(&mut self, interruption: Interruption) -> &'static str {
        if let Some(code) = interruption.code() {
            self.state.metrics.error(code);
            log_cause("an answer failed", &interruption);
        }
        let remains = interruption.remains();
        if remains != Remains::Forgotten {
            self.keep_draft().await;
        }
        if remains == Remains::KeptAsStopped {
            self.note_the_stop().await;
        }
        self.outlet.send_last(frame(&interruption.event()));
        interruption.outcome()
    }

    /// Deals with an answer that panicked; says how it ended.
    fn give_up(&mut self) -> &'static str {
        tracing::error!(request.id = %request_id::current(), "an answer panicked");
        self.state.metrics.error("panicked");
        self.outlet.send_last(frame(&Event::stream_error(true)));
        "panicked"
    }

    /// Stores what there is of the answer, if that is anything.
    async fn keep_draft(&mut self) {
        let message = self.draft.message();
        if self.draft.is_stored || message.text.trim().is_empty() {
            return;
        }
        let item = self.item(&self.announced_id(), message);
        self.keep(&item).await;
    }

    /// Tells the model, at the next turn, why this answer stops where it does.
    async fn note_the_stop(&mut self) {
        if self.draft.is_stored {
            return;
        }
        let content = ItemContent::SdkHiddenContext(HiddenContext { content: Value::from(history::STOPPED) });
        let note = ThreadItem {
            id: self.state.ids.new_id(content.id_prefix()),
            thread_id: self.question.thread.id.clone(),
            created_at: self.state.clock.now(),
            content,
        };
        self.keep(&note).await;
    }

    /// Stores an item of an answer that nobody waits for; a thread that was deleted stays deleted.
    async fn keep(&self, item: &ThreadItem) {
        match self.state.store.add_item(&self.question.who, item).await {
            Ok(()) | Err(StoreError::NoSuchThread) => {}
            Err(error) => {
                self.state.metrics.error("store_failed");
                log_cause("a partial answer is lost", &error);
            }
        }
    }

    /// The id of the assistant message; a new one if none was announced.
    fn announced_id(&self) -> String {
        self.draft.announced.as_ref().map_or_else(|| self.state.ids.new_id("msg"), |(id, _)| id.clone())
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
            sent = self.outlet.send(frame) => Ok(sent?),
            interruption = self.interrupted() => Err(interruption),
        }
    }

    /// Waits for what ends an answer from outside, whatever it is doing.
    async fn interrupted(&self) -> Interruption {
        tokio::select! {
            biased;
            () = self.question.slot.thread_gone() => StoreError::NoSuchThread.into(),
            () = self.outlet.closed() => Interruption::HungUp,
            () = self.state.cut.cancelled() => Interruption::Stopping,
        }
    }
}

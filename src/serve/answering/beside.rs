//! What a turn does beside writing its message: items, notices, effects, titles, status.
//!
//! An item is stored before it is told as done; what is added or updated is told and not stored. Hidden items are stored
//! and never told. An item that ends while the message is written waits for the message's end, so that what is read
//! later has the order of what was told.

use crate::chatkit::{Event, Item, ThreadObject, Update, frame};
use crate::model::item::{Beside, ItemUpdate, NoticeLevel, Which};
use crate::model::thread::{ItemContent, Thread, ThreadItem};
use crate::serve::answering::partial;
use crate::serve::answering::{Answering, Interruption};
use crate::serve::title;
use crate::store::StoreError;

/// Told when another backend answers instead of the model.
const FELL_BACK: &str =
    "The language model cannot be reached at the moment, so this answer quotes the documents directly.";

/// What of a turn is no text.
#[derive(Default)]
pub(super) struct Aside {
    /// The item that was told as added and is not done.
    open: Option<ThreadItem>,
    /// Whole items that are told after the message.
    waiting: Vec<ItemContent>,
    /// The item that was stored last.
    last: Option<String>,
    /// Whether anything was told or stored that makes the turn one without text.
    has_acted: bool,
}

impl Aside {
    /// Whether the turn has done something, so that it needs no text.
    pub(super) fn has_acted(&self) -> bool {
        self.has_acted || self.open.is_some() || !self.waiting.is_empty()
    }
}

impl Answering {
    /// Carries one of these out.
    pub(super) async fn tell_beside(&mut self, beside: Beside) -> Result<(), Interruption> {
        // Neither of these is worth a turn; a tried-again call is not told at all.
        self.aside.has_acted |= !matches!(beside, Beside::Progress { .. } | Beside::Retrying | Beside::FellBack);
        match beside {
            Beside::Progress { icon, text } => self.send(&Event::Progress { icon: icon.as_deref(), text: &text }).await,
            Beside::Notice { level, message, title } => {
                self.send(&Event::Notice { level, message: &message, title: title.as_deref() }).await
            }
            Beside::Effect { name, data } => self.send(&Event::ClientEffect { name: &name, data: &data }).await,
            Beside::Title(title) => self.set_title(&title).await,
            Beside::Status(status) => {
                let question = &self.question;
                let thread = self.state.store.set_status(&question.who, &question.thread.id, &status).await?;
                self.tell_thread(thread).await
            }
            Beside::ItemAdded(content) => self.begin_item(content).await,
            Beside::ItemUpdated(update) => self.change_item(update).await,
            Beside::ItemDone(content) => self.end_item(content).await,
            Beside::ItemReplaced { which, content } => self.replace_item(which, content).await,
            Beside::ItemRemoved { which } => self.remove_item(which).await,
            Beside::Retrying => {
                self.state.metrics.model_retried();
                Ok(())
            }
            Beside::FellBack => {
                self.state.metrics.model_fell_back();
                self.send(&Event::Notice { level: NoticeLevel::Warning, message: FELL_BACK, title: None }).await
            }
        }
    }

    /// Tells what waited for the message's end, and ends an item that the model left open. All of it is stored, also
    /// when nobody reads any more.
    pub(super) async fn tell_waiting(&mut self) -> Result<(), Interruption> {
        if let Some(item) = self.aside.open.take() {
            self.unless_unread(item).await?;
        }
        for content in std::mem::take(&mut self.aside.waiting) {
            let item = self.new_item(content);
            self.unless_unread(item).await?;
        }
        Ok(())
    }

    async fn unless_unread(&mut self, item: ThreadItem) -> Result<(), Interruption> {
        match self.store_and_tell(item).await {
            Err(Interruption::HungUp | Interruption::Stalled | Interruption::Stopping) => Ok(()),
            other => other,
        }
    }

    /// A title of the bot's own never replaces a visitor's.
    async fn set_title(&mut self, title: &str) -> Result<(), Interruption> {
        let Some(title) = title::automatic_title(title) else {
            return Ok(());
        };
        let question = &self.question;
        let changed = self.state.store.set_automatic_title(&question.who, &question.thread.id, &title).await?;
        match changed {
            Some(thread) => self.tell_thread(thread).await,
            None => Ok(()),
        }
    }

    async fn tell_thread(&mut self, thread: Thread) -> Result<(), Interruption> {
        let told = frame(&Event::ThreadUpdated { thread: ThreadObject::from(&thread) });
        self.question.thread = thread;
        self.send_frame(told).await
    }

    /// One item is open at a time; another one ends it. A hidden one is told by nothing.
    async fn begin_item(&mut self, content: ItemContent) -> Result<(), Interruption> {
        if content.is_hidden() {
            return Ok(());
        }
        if let Some(open) = self.aside.open.take() {
            self.store_and_tell(open).await?;
        }
        let item = self.new_item(content);
        let told = frame(&Event::ItemAdded { item: Item::from(&item).without_content() });
        self.aside.open = Some(item);
        self.send_frame(told).await
    }

    /// A change that does not fit the open item would confuse who reads it, so it is dropped.
    async fn change_item(&mut self, update: ItemUpdate) -> Result<(), Interruption> {
        let Some(open) = &mut self.aside.open else {
            tracing::warn!("the model changed an item while none was open");
            return Ok(());
        };
        if !partial::apply(&mut open.content, &update) {
            tracing::warn!("the model changed an item in a way that does not fit it");
            return Ok(());
        }
        let told = frame(&Event::ItemUpdated { item_id: &open.id, update: Update::Beside(&update) });
        self.send_frame(told).await
    }

    async fn end_item(&mut self, content: ItemContent) -> Result<(), Interruption> {
        match self.aside.open.take_if(|open| open.content.kind() == content.kind()) {
            Some(open) => self.store_and_tell(ThreadItem { content, ..open }).await,
            None if content.is_hidden() || self.draft.announced.is_none() => {
                let item = self.new_item(content);
                self.store_and_tell(item).await
            }
            None => {
                self.aside.waiting.push(content);
                Ok(())
            }
        }
    }

    /// An item that is not there any more comes back as a new one: what the model says is not lost, and it makes no ids.
    async fn replace_item(&mut self, which: Which, content: ItemContent) -> Result<(), Interruption> {
        if which == Which::Last
            && let Some(waiting) = self.aside.waiting.last_mut()
        {
            *waiting = content;
            return Ok(());
        }
        let Some(item_id) = self.id_of(which) else {
            return self.end_item(content).await;
        };
        let item = ThreadItem { id: item_id, ..self.new_item(content) };
        match self.state.store.replace_item(&self.question.who, &item).await {
            Ok(replaced) if replaced.content.is_hidden() => {
                self.send(&Event::ItemRemoved { item_id: &replaced.id }).await
            }
            Ok(replaced) => {
                let told = frame(&Event::ItemReplaced { item: Item::from(&replaced) });
                self.aside.last = Some(replaced.id);
                self.send_frame(told).await
            }
            Err(StoreError::NoSuchItem) => self.end_item(item.content).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Removing what is gone already is no failure.
    async fn remove_item(&mut self, which: Which) -> Result<(), Interruption> {
        if which == Which::Last && self.aside.waiting.pop().is_some() {
            return Ok(());
        }
        let Some(item_id) = self.id_of(which) else {
            return Ok(());
        };
        let question = &self.question;
        match self.state.store.remove_item(&question.who, &question.thread.id, &item_id).await {
            Ok(()) => self.send(&Event::ItemRemoved { item_id: &item_id }).await,
            Err(StoreError::NoSuchItem) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn id_of(&self, which: Which) -> Option<String> {
        match which {
            Which::Last => self.aside.last.clone(),
            Which::Id(item_id) => Some(item_id),
        }
    }

    async fn store_and_tell(&mut self, item: ThreadItem) -> Result<(), Interruption> {
        self.state.store.add_item(&self.question.who, &item).await?;
        if item.content.is_hidden() {
            return Ok(());
        }
        let told = frame(&Event::ItemDone { item: Item::from(&item) });
        self.aside.last = Some(item.id);
        self.send_frame(told).await
    }

    fn new_item(&self, content: ItemContent) -> ThreadItem {
        ThreadItem {
            id: self.state.ids.new_id(content.id_prefix()),
            thread_id: self.question.thread.id.clone(),
            created_at: self.state.clock.now(),
            content,
        }
    }
}

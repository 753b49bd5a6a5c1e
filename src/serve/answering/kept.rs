//! What is kept of an answer: its words as far as they go, why it stopped, and what it took.
//!
//! What an answer took is kept once, with its words in one transaction where there are any, however it ends.

use serde_json::Value;

use crate::model::item::HiddenContext;
use crate::model::thread::{ItemContent, ThreadItem};
use crate::model::usage::{Price, Usage, UsageRow};
use crate::serve::answering::Answering;
use crate::serve::error::log_cause;
use crate::serve::history;
use crate::store::StoreError;

/// What an answer took so far.
#[derive(Default)]
pub(super) struct Spent(Option<Usage>);

impl Answering {
    /// Takes what the engine tells; it replaces what it told before.
    pub(super) fn spend(&mut self, usage: Usage) {
        self.spent.0 = Some(usage);
    }

    /// Stores the answer with what it took.
    pub(super) async fn store_answer(&mut self, item: &ThreadItem, outcome: &'static str) -> Result<(), StoreError> {
        let (store, who) = (&self.state.store, &self.question.who);
        let Some(used) = self.used(Some(&item.id), outcome) else {
            return store.add_item(who, item).await;
        };
        store.add_answer(who, item, &used).await?;
        self.count(&used);
        Ok(())
    }

    /// Keeps what the answer took if it was not kept with its words.
    pub(super) async fn keep_usage(&mut self, outcome: &'static str) {
        let Some(used) = self.used(None, outcome) else {
            return;
        };
        if let Err(error) = self.state.store.add_usage(&used).await {
            self.state.metrics.error("store_failed");
            log_cause("what an answer took is not kept", &error);
        }
        // It was spent all the same.
        self.count(&used);
    }

    /// Stores what there is of the answer, if that is anything.
    pub(super) async fn keep_draft(&mut self, outcome: &'static str) {
        let message = self.draft.message();
        if self.draft.is_stored || message.text.trim().is_empty() {
            return;
        }
        let item = self.item(&self.announced_id(), message);
        let stored = self.store_answer(&item, outcome).await;
        self.note_loss(stored);
    }

    /// Tells the model, at the next turn, why this answer stops where it does.
    pub(super) async fn note_the_stop(&mut self) {
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
        let stored = self.state.store.add_item(&self.question.who, &note).await;
        self.note_loss(stored);
    }

    /// Nobody waits for what is kept here; a thread that was deleted stays deleted.
    fn note_loss(&self, stored: Result<(), StoreError>) {
        match stored {
            Ok(()) | Err(StoreError::NoSuchThread) => {}
            Err(error) => {
                self.state.metrics.error("store_failed");
                log_cause("a partial answer is lost", &error);
            }
        }
    }

    /// What is to be kept of what the answer took, with its price of today.
    fn used(&self, item_id: Option<&str>, outcome: &'static str) -> Option<UsageRow> {
        let usage = self.spent.0.clone()?;
        let cost = self.state.live().models.catalogue.cost(&usage);
        Some(UsageRow {
            item_id: item_id.map(str::to_owned),
            thread_id: self.question.thread.id.clone(),
            answered_at: self.state.clock.now(),
            outcome,
            usage,
            price: cost.map(|cost| Price { nano_dollars: cost.nano_dollars, priced_on: cost.as_of }),
        })
    }

    fn count(&mut self, used: &UsageRow) {
        self.spent.0 = None;
        self.state.metrics.spent(&used.usage, used.price.map(|price| price.nano_dollars));
    }
}

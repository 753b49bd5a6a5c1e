//! What cases work with: two visitors, what was seen, and the steps that many cases begin with.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::smoke::SmokeError;
use crate::smoke::call::Reply;
use crate::smoke::case::{CaseResult, Stop};
use crate::smoke::client::{ClientSettings, Visitor};
use crate::smoke::expect::{need, need_taken, skip};
use crate::smoke::record::{Record, Seen};
use crate::smoke::told::{Told, rows};

/// A question that any bot may be asked.
pub(super) const QUESTION: &str = "How long do refunds take?";
/// Pages that are read of one list at the most.
const MAX_PAGES: usize = 50;

/// What cases work with.
pub(super) struct Lab {
    /// The visitor most cases are.
    pub(super) one: Visitor,
    /// Another one.
    pub(super) other: Visitor,
    record: Arc<Record>,
    has_tokens: bool,
    sample: OnceCell<Talk>,
}

/// A thread with one question.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    /// The thread.
    pub(super) thread: String,
    /// What the stream told.
    pub(super) told: Told,
}

impl Talk {
    /// The id of the visitor's message.
    pub(super) fn user_id(&self) -> Result<&str, Stop> {
        need(self.told.user_id(), "the item of the visitor's message")
    }

    /// The id of the answer.
    pub(super) fn answer_id(&self) -> Result<&str, Stop> {
        need(self.told.answer_id(), "a finished answer")
    }
}

impl Lab {
    /// Two visitors without cookies.
    pub(super) fn new(settings: &ClientSettings, record: &Arc<Record>) -> Result<Self, SmokeError> {
        let visitor = |number| Visitor::new(number, settings, Arc::clone(record));
        let has_tokens = settings.token.is_some() && settings.token_other.is_some();
        Ok(Self {
            one: visitor(0)?,
            other: visitor(1)?,
            record: Arc::clone(record),
            has_tokens,
            sample: OnceCell::new(),
        })
    }

    /// The visitor of this number.
    pub(super) fn visitor(&self, number: usize) -> &Visitor {
        if number == 0 { &self.one } else { &self.other }
    }

    /// A first request of both, so that each has its cookie before they act at once. Tells whether there is a server.
    pub(super) async fn greet(&self) -> CaseResult {
        for visitor in [&self.one, &self.other] {
            visitor.call("threads.list", json!({ "limit": 1 })).await?;
        }
        Ok(())
    }

    /// Whether the server can tell the visitors apart.
    pub(super) fn need_two_visitors(&self) -> CaseResult {
        let cookies = (self.one.jar.header(), self.other.jar.header());
        match cookies {
            _ if self.has_tokens => Ok(()),
            (Some(one), Some(other)) if one != other => Ok(()),
            _ => skip(
                "the server sets no cookie by which it tells visitors apart; set PROBE_TOKEN and PROBE_TOKEN_OTHER",
            ),
        }
    }

    /// Asks in a new thread.
    pub(super) async fn ask(&self, question: &str) -> Result<Talk, Stop> {
        ask_as(&self.one, question).await
    }

    /// Asks in a thread.
    pub(super) async fn say(&self, thread: &str, question: &str) -> Result<Told, Stop> {
        let reply = self.one.call("threads.add_user_message", add(thread, question)).await?;
        need_taken(&reply)?;
        Ok(reply.told())
    }

    /// Asks for a scene of the bot's, by the word that begins it, which shows an item of this type.
    pub(super) async fn scene(&self, word: &str, kind: &str) -> Result<(Talk, Value), Stop> {
        let talk = self.ask(&format!("[[{word}]] {QUESTION}")).await?;
        match talk.told.done(kind).last().cloned() {
            Some(item) => Ok((talk, item)),
            None => skip(format!("this server's bot answered `[[{word}]]` without an item of type `{kind}`")),
        }
    }

    /// All visible items of a thread, oldest first.
    pub(super) async fn items(&self, thread: &str) -> Result<Vec<Value>, Stop> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut params = json!({ "thread_id": thread, "order": "asc", "limit": 100 });
            if let Some(after) = &after {
                params["after"] = json!(after);
            }
            let reply = self.one.call("items.list", params).await?;
            need_taken(&reply)?;
            let page = need(reply.json(), "a page of items")?;
            items.extend_from_slice(rows(&page));
            after = page["after"].as_str().map(str::to_owned).filter(|_| page["has_more"] == true);
            if after.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// One item of a thread, as it is stored.
    pub(super) async fn item(&self, thread: &str, id: &str) -> Result<Option<Value>, Stop> {
        Ok(self.items(thread).await?.into_iter().find(|item| item["id"] == id))
    }

    /// `threads.get_by_id`.
    pub(super) async fn get(&self, thread: &str) -> Result<Reply, Stop> {
        self.one.call("threads.get_by_id", json!({ "thread_id": thread })).await
    }

    /// A question and its answer that all cases may look at, and none may change.
    pub(super) async fn sample(&self) -> Result<&Talk, Stop> {
        let made = async {
            let talk = self.ask(QUESTION).await?;
            self.say(&talk.thread, "And for gift cards?").await?;
            Ok(talk)
        };
        self.sample.get_or_try_init(|| made).await
    }

    /// Everything that was seen, with at least one whole conversation in it.
    pub(super) async fn seen(&self) -> Result<Vec<Arc<Seen>>, Stop> {
        let talk = self.sample().await?;
        self.items(&talk.thread).await?;
        self.get(&talk.thread).await?;
        self.one.call("threads.list", json!({ "limit": 5 })).await?;
        Ok(self.record.seen())
    }
}

/// Asks in a new thread, as this visitor.
pub(super) async fn ask_as(visitor: &Visitor, question: &str) -> Result<Talk, Stop> {
    let reply = visitor.call("threads.create", create(question)).await?;
    need_taken(&reply)?;
    let told = reply.told();
    let thread = need(told.thread_id(), "a thread, announced by `thread.created`")?.to_owned();
    Ok(Talk { thread, told })
}

/// A visitor's message.
pub(super) fn input(text: &str) -> Value {
    json!({ "content": [{ "type": "input_text", "text": text }], "attachments": [], "inference_options": {} })
}

/// The parameters of `threads.create`.
pub(super) fn create(text: &str) -> Value {
    json!({ "input": input(text) })
}

/// The parameters of `threads.add_user_message`.
pub(super) fn add(thread: &str, text: &str) -> Value {
    json!({ "thread_id": thread, "input": input(text) })
}

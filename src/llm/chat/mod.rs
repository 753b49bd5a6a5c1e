//! `MODEL_BACKEND=chat`: a language model behind any server that has OpenAI's `/chat/completions`.
//!
//! The model writes; what it writes is not trusted. Only claims that cite what was retrieved are told, nothing is told
//! before the first citation, and an answer without any becomes a refusal. As long as nothing was told a failure is
//! tried again, a few times and never for longer than a visitor waits.

mod budget;
mod client;
mod dialect;
mod failure;
pub(in crate::llm) mod prompt;
pub(in crate::llm) mod quote;
mod reply;
pub(in crate::llm) mod small_talk;
#[cfg(test)]
mod tests;
pub(in crate::llm) mod text;
pub(in crate::llm) mod wire;

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures_util::stream::BoxStream;
use tokio::time::{Instant, sleep, timeout_at};

use crate::config::settings::AssistantSettings;
use crate::llm::chat::client::{Failed, Server};
use crate::llm::chat::prompt::Prompt;
use crate::llm::chat::reply::{Patience, Said};
use crate::llm::chat::text::Writer;
use crate::llm::models::ModelCatalogue;
use crate::llm::telling::{NobodyReads, Told, told_by};
use crate::llm::{ChatModel, ChatRequest, LlmError, ModelEvent, OpenError, extractive, instructions};
use crate::model::item::Beside;
use crate::model::usage::Usage;

/// The instructions where the settings name no file.
const INSTRUCTIONS: &str = include_str!("../../../templates/instructions.md");

/// Further attempts after a failure.
const RETRIES: usize = 2;
/// Before the first of them; the next waits twice as long. Up to as much again comes by chance, so that many who
/// failed at once do not come back at once.
const MIN_BACKOFF: Duration = Duration::from_millis(400);
/// A server that asks for more rest is not waited for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);
/// Shown where an answer was cut at the bound of its length.
pub(in crate::llm) const CUT: &str = " …";

/// A language model.
pub struct Chat(Arc<Model>);

struct Model {
    server: Server,
    instructions: String,
    context_tokens: usize,
}

/// Why an attempt ended early.
enum Ended {
    Failed(Failed),
    NobodyReads,
}

impl Chat {
    /// The model that the settings name, with their instructions.
    pub fn open(settings: &AssistantSettings) -> Result<Self, OpenError> {
        Self::with_patience(settings, Patience::default())
    }

    fn with_patience(settings: &AssistantSettings, patience: Patience) -> Result<Self, OpenError> {
        let instructions = instructions::of(settings, INSTRUCTIONS)?;
        let family = ModelCatalogue::load(settings.hosted.models_file.as_deref())?.manner(&settings.chat.model);
        let server = Server::new(settings.chat.clone(), family, patience)
            .map_err(|error| OpenError::Client(error.to_string()))?;
        Ok(Self(Arc::new(Model { server, instructions, context_tokens: settings.chat.context_tokens })))
    }
}

impl ChatModel for Chat {
    fn name(&self) -> &'static str {
        "chat"
    }

    fn stream(&self, request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>> {
        let model = Arc::clone(&self.0);
        told_by(|mut told| async move { model.answer(request, &mut told).await })
    }
}

impl Model {
    async fn answer(&self, request: ChatRequest, told: &mut Told) -> Result<(), NobodyReads> {
        if let Some(reply) = small_talk::reply(&request.question) {
            return told.tell(ModelEvent::Text(reply.to_owned())).await;
        }
        if request.hits.is_empty() {
            return told.tell_all(extractive::refusal(&request)).await;
        }
        let deadline = Instant::now() + self.server.patience.all;
        let failed = match timeout_at(deadline, self.attempts(&request, told)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Ended::NobodyReads)) => return Err(NobodyReads),
            Ok(Err(Ended::Failed(failed))) => failed.error,
            Err(_) => LlmError::Slow("the whole answer takes too long".to_owned()),
        };
        told.send(Err(failed)).await
    }

    /// Tries until it succeeds, until something was told, or a few times.
    async fn attempts(&self, request: &ChatRequest, told: &mut Told) -> Result<(), Ended> {
        let prompt = prompt::write(prompt::NUMBERED, &self.instructions, request, self.context_tokens)?;
        let backoff = ExponentialBuilder::new().with_min_delay(MIN_BACKOFF).with_max_times(RETRIES).with_jitter();
        let mut waits = backoff.build();
        let mut used = self.server.nothing_used();
        loop {
            let Err(ended) = self.attempt(&prompt, request, (&mut used, told)).await else {
                return Ok(());
            };
            let Ended::Failed(failed) = ended else {
                return Err(ended);
            };
            let Some(wait) = waits.next().filter(|_| !told.has_begun && is_worth_another(&failed)) else {
                return Err(Ended::Failed(failed));
            };
            tracing::info!(code = failed.error.code(), "the model is asked again: {}", failed.error);
            told.tell(ModelEvent::Beside(Beside::Retrying)).await?;
            sleep(wait.max(failed.retry_after.unwrap_or_default())).await;
        }
    }

    async fn attempt(
        &self,
        prompt: &Prompt,
        request: &ChatRequest,
        (used, told): (&mut Usage, &mut Told),
    ) -> Result<(), Ended> {
        let mut reply = self.server.ask(&prompt.messages).await?;
        // It is billed from now on, also when its end is never seen.
        used.requests += 1;
        told.tell(ModelEvent::Used(used.clone())).await?;
        let mut writer = Writer::new(request.hits.clone(), prompt.given);
        let mut declined = false;
        let is_cut = loop {
            match reply.next().await? {
                Said::Text(text) => told.tell_all(writer.push(&text)).await?,
                Said::Thought => {}
                Said::Declined => declined = true,
                Said::End => break false,
                Said::Cut => break true,
            }
        };
        if let Some(counted) = reply.usage() {
            used.add(&counted);
            told.tell(ModelEvent::Used(used.clone())).await?;
        }
        told.tell_all(writer.finish()).await?;
        if writer.is_supported() {
            let end = is_cut.then(|| ModelEvent::Text(CUT.to_owned()));
            told.tell_all(end).await?;
            return Ok(());
        }
        if is_cut && (writer.is_thinking() || !writer.has_text()) {
            let why = "it thought until MODEL_MAX_TOKENS and said nothing";
            return Err(LlmError::Refused(why.to_owned()).into());
        }
        if !writer.has_text() && !declined {
            return Err(failure::broken("its answer is empty").into());
        }
        // What cites nothing is not told; that the documents do not answer is.
        told.tell_all(extractive::refusal(request)).await?;
        Ok(())
    }
}

/// A failed attempt that another may mend. A silent server is no better at once, and a visitor waited long enough.
fn is_worth_another(failed: &Failed) -> bool {
    let may_pass = matches!(failed.error, LlmError::Temporary(_) | LlmError::Busy(_));
    may_pass && failed.retry_after.is_none_or(|wait| wait <= MAX_RETRY_AFTER)
}

impl From<NobodyReads> for Ended {
    fn from(NobodyReads: NobodyReads) -> Self {
        Self::NobodyReads
    }
}

impl From<Failed> for Ended {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<LlmError> for Ended {
    fn from(error: LlmError) -> Self {
        Self::Failed(error.into())
    }
}

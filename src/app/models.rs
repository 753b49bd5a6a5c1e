//! What is known about models, and whether the one that answers will go on doing so.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SystemClock};
use crate::config::{ModelBackend, Settings};
use crate::error::Failure;
use crate::exit::Exit;
use crate::llm::models::{Chosen, Life, ModelCatalogue, Models, ModelsError};
use crate::openai::Client;

/// How long a service may take to say when a model ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is known about models, and which one the settings choose.
pub fn load(settings: &Settings) -> Result<Models, Failure> {
    let catalogue = ModelCatalogue::load(settings.models_file.as_deref()).map_err(unusable)?;
    let asks_a_model = matches!(settings.assistant.backend, ModelBackend::Chat | ModelBackend::OpenAi);
    let chosen = asks_a_model.then(|| Chosen::new(&settings.assistant.chat.model, &catalogue));
    Ok(Models { catalogue: Arc::new(catalogue), chosen })
}

/// A file with facts about models that cannot be used.
pub fn unusable(error: ModelsError) -> Failure {
    Failure::new("models/invalid", Exit::Settings, "read the facts about models", error.to_string())
        .fix("correct the file that MODELS_FILE names, or leave it unset; its form is that of the built-in one")
        .cause(error)
}

/// What is to be said now about the end of the chosen model.
pub fn word_about(chosen: Option<&Chosen>, clock: &dyn Clock) -> Option<Life> {
    chosen.and_then(|chosen| chosen.life(clock.now())).filter(Life::is_worth_a_word)
}

/// Asks the service, where a key is set, when the chosen model ends; tells whether that is news. A service that does not
/// say, or does not answer, is no trouble of the bot's.
pub async fn ask_service(settings: &Settings, chosen: &Chosen) -> bool {
    if settings.openai.api_key.is_none() {
        return false;
    }
    let asked = tokio::time::timeout(PATIENCE, shutdown_date(settings, chosen.name())).await;
    asked.ok().flatten().is_some_and(|ends| chosen.learn(ends))
}

async fn shutdown_date(settings: &Settings, name: &str) -> Option<Date> {
    let quiet = |error| tracing::debug!(%error, "the service does not say when the model ends");
    let client = Client::new(settings.openai.clone()).map_err(quiet).ok()?;
    let model = client.model(name).await.map_err(quiet).ok()?;
    model.shutdown_date?.parse().ok()
}

/// Logs what is to be said about the end of the chosen model, and then, beside all else, what the service says of it.
pub fn watch(settings: &Settings, models: &Models, stop: &CancellationToken) -> JoinHandle<()> {
    let (settings, chosen, stop) = (settings.clone(), models.chosen.clone(), stop.clone());
    log_word_about(chosen.as_ref());
    tokio::spawn(async move {
        let Some(chosen) = chosen else { return };
        tokio::select! {
            is_news = ask_service(&settings, &chosen) => if is_news { log_word_about(Some(&chosen)) },
            () = stop.cancelled() => {}
        }
    })
}

/// Logs it as a warning, or as an error when the model is over.
pub fn log_word_about(chosen: Option<&Chosen>) {
    let Some(life) = word_about(chosen, &SystemClock) else { return };
    let (text, days_left) = (life.describe(), life.days_left);
    if life.is_over() {
        tracing::error!(days_left, "{text}");
    } else {
        tracing::warn!(days_left, "{text}");
    }
}

//! What a reload of the settings changes while the server runs: one value, swapped whole.
//!
//! A request takes it once and keeps it: an answer that has begun goes on with the engine it began with.

use std::sync::Arc;

use axum::http::Uri;

use crate::answer::Engine;
use crate::config::settings::{DailyTokens, Network, ServerSettings};
use crate::config::{AuthMode, RateLimit};
use crate::llm::models::Models;
use crate::serve::ServeError;
use crate::serve::limits::Limits;
use crate::serve::origin::Origins;
use crate::serve::visitor::{CookieStyle, Transport};

/// What a reload changes.
pub struct Live {
    /// Answers.
    pub engine: Engine,
    /// The bot's name.
    pub assistant_name: String,
    /// What is known about models, and which one answers.
    pub models: Models,
    /// Which pages may change things.
    pub origins: Origins,
    /// What visitors' cookies look like.
    pub cookies: CookieStyle,
    /// How much one caller may ask for, and whose word about a caller's address counts.
    pub limits: Arc<Limits>,
    /// Tokens that all answers of a day may take.
    pub daily_tokens: Option<DailyTokens>,
    rate_limit: RateLimit,
    trusted_proxies: Vec<Network>,
}

/// What of the settings stays as it was at the start.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// Who callers are.
    pub auth_mode: AuthMode,
    /// `PUBLIC_URL`.
    pub public_url: Option<Uri>,
}

impl Live {
    /// Checks the settings and puts the parts together. What callers used up of an unchanged rate stays used up.
    pub fn new(
        engine: Engine,
        assistant_name: String,
        models: Models,
        settings: &ServerSettings,
        (fixed, before): (&Fixed, Option<&Self>),
    ) -> Result<Self, ServeError> {
        let public_url = fixed.public_url.as_ref();
        let cookies = CookieStyle {
            transport: match public_url.and_then(Uri::scheme_str) {
                Some("https") => Transport::Https,
                _ => Transport::Plain,
            },
            is_called_by_other_sites: !settings.cors_origins.is_empty(),
        };
        if fixed.auth_mode == AuthMode::Visitor
            && let Some(warning) = cookies.warning()
        {
            tracing::warn!("{warning}");
        }
        Ok(Self {
            engine,
            assistant_name,
            models: known_on(models, before),
            origins: Origins::new(&settings.cors_origins, public_url, fixed.auth_mode)?,
            cookies,
            limits: limits(settings, before),
            daily_tokens: settings.daily_tokens,
            rate_limit: settings.rate_limit,
            trusted_proxies: settings.trusted_proxies.clone(),
        })
    }
}

/// What was told about a model stays known as long as it answers.
fn known_on(models: Models, before: Option<&Live>) -> Models {
    match (models.chosen, before.and_then(|live| live.models.chosen.as_ref())) {
        (Some(chosen), Some(before)) => Models { chosen: Some(chosen.after(before)), ..models },
        (chosen, _) => Models { chosen, ..models },
    }
}

fn limits(settings: &ServerSettings, before: Option<&Live>) -> Arc<Limits> {
    let is_same =
        |live: &&Live| live.rate_limit == settings.rate_limit && live.trusted_proxies == settings.trusted_proxies;
    match before.filter(is_same) {
        Some(live) => Arc::clone(&live.limits),
        None => Arc::new(Limits::new(settings.rate_limit, settings.trusted_proxies.clone())),
    }
}

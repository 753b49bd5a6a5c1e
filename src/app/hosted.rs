//! The account with OpenAI: its client, its prices, and what a failed call means for a command.

use std::time::Duration;

use crate::config::Settings;
use crate::error::Failure;
use crate::exit::Exit;
use crate::llm::models::ModelCatalogue;
use crate::openai::{Client, ErrorKind, OpenAiError};

/// OpenAI's own address, which answers nobody without a key.
const OPENAI_HOST: &str = "api.openai.com";

/// A client of the account that the settings name.
pub fn client(settings: &Settings) -> Result<Client, Failure> {
    const WHAT: &str = "reach the OpenAI account";
    let account = &settings.openai;
    if account.api_key.is_none() && account.base_url.contains(OPENAI_HOST) {
        let why = "OPENAI_API_KEY is not set";
        return Err(Failure::new("openai/no-key", Exit::Denied, WHAT, why)
            .fix("set it in the environment, or with `chatbotctl secret set OPENAI_API_KEY`"));
    }
    Client::new(account.clone()).map_err(|error| failure(WHAT, error))
}

/// The prices: the built-in ones, and those of `MODELS_FILE` over them.
pub fn prices(settings: &Settings) -> Result<ModelCatalogue, Failure> {
    ModelCatalogue::load(settings.models_file.as_deref()).map_err(|error| {
        Failure::new("settings/models-file", Exit::Settings, "read the prices", error.to_string())
            .fix("correct the file that MODELS_FILE names, or leave the setting unset")
    })
}

/// What a failed call means for a command.
pub fn failure(what: impl Into<String>, error: OpenAiError) -> Failure {
    let (code, exit, fix) = meaning(error.kind);
    let fix = match error.retry_after {
        Some(wait) if wait > Duration::from_mins(1) => {
            format!("wait {} minutes, as the service asks, then run it again", wait.as_secs().div_ceil(60))
        }
        _ => fix.to_owned(),
    };
    let why = match error.kind {
        // The service repeats parts of the key.
        ErrorKind::WrongKey => with_request("the service got no key that it accepts", &error),
        _ => error.to_string(),
    };
    let why = if error.may_be_done { format!("{why}; it may have been done all the same") } else { why };
    Failure::new(code, exit, what, why).fix(fix).cause(error)
}

fn with_request(text: &str, error: &OpenAiError) -> String {
    match &error.request_id {
        Some(id) => format!("{text} (request {id})"),
        None => text.to_owned(),
    }
}

fn meaning(kind: ErrorKind) -> (&'static str, Exit, &'static str) {
    match kind {
        ErrorKind::WrongKey => (
            "openai/wrong-key",
            Exit::Denied,
            "set or correct OPENAI_API_KEY; `chatbotctl env show` says where it comes from",
        ),
        ErrorKind::Forbidden => (
            "openai/forbidden",
            Exit::Denied,
            "give the key the right to do this, or use a key of the project that the store belongs to",
        ),
        ErrorKind::NoQuota => (
            "openai/no-quota",
            Exit::NotGood,
            "look at the account's billing and limits; trying again changes nothing before",
        ),
        ErrorKind::NotFound => ("openai/not-found", Exit::NotGood, "chatbotctl vector-store list"),
        ErrorKind::Refused => ("openai/refused", Exit::NotGood, "correct what the service names, then run it again"),
        ErrorKind::RateLimited => ("openai/rate-limited", Exit::Temporary, "wait a minute, then run it again"),
        ErrorKind::Conflict => ("openai/conflict", Exit::Temporary, "run it again when the other work has ended"),
        ErrorKind::Server | ErrorKind::Broken => ("openai/failed", Exit::Temporary, "run it again in a moment"),
        ErrorKind::Connection | ErrorKind::TimedOut => (
            "openai/unreachable",
            Exit::Temporary,
            "check the network, OPENAI_BASE_URL and OPENAI_PROXY, then run it again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::FailedCall;

    fn told(kind: ErrorKind) -> Failure {
        failure("look", FailedCall::new("GET /models", kind, "Incorrect API key provided: sk-12***89").into())
    }

    #[test]
    fn what_is_temporary_can_be_tried_again_and_a_wrong_key_cannot() {
        assert_eq!(told(ErrorKind::TimedOut).exit, Exit::Temporary);
        assert_eq!(told(ErrorKind::NoQuota).exit, Exit::NotGood);
        assert_eq!(told(ErrorKind::Forbidden).exit, Exit::Denied);
    }

    /// Who is told to come back in an hour is not told to wait a minute.
    #[test]
    fn the_wait_that_the_service_asks_for_is_the_one_that_is_told() {
        let refused = FailedCall::new("GET /models", ErrorKind::RateLimited, "no");
        let asked = |secs| FailedCall { retry_after: Some(Duration::from_secs(secs)), ..refused.clone() };
        let fix = |failed: FailedCall| failure("look", failed.into()).fix.unwrap();
        assert_eq!(fix(asked(3599)), "wait 60 minutes, as the service asks, then run it again");
        assert_eq!(fix(asked(20)), fix(refused.clone()));
    }

    #[test]
    fn a_wrong_key_is_not_repeated() {
        let failure = told(ErrorKind::WrongKey);
        assert_eq!(failure.exit, Exit::Denied);
        assert!(!failure.to_string().contains("sk-"), "{failure}");
    }
}

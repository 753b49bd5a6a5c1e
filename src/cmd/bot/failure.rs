//! Why there is no answer, and what to do about it: a trouble of the model is not one of the index.

use crate::answer::AnswerError;
use crate::error::Failure;
use crate::exit::Exit;
use crate::llm::LlmError;

/// The end of a command whose answer failed; `backend` is who answers.
pub(super) fn failed(error: AnswerError, backend: &str) -> Failure {
    let (code, exit, fix) = match &error {
        AnswerError::Model(error) if matches!(backend, "openai" | "chat") => of_model(error),
        AnswerError::Model(_) | AnswerError::Index(_) => {
            ("answer/failed", Exit::Temporary, "try again; `chatbotctl docs status` shows the state of the index")
        }
    };
    Failure::new(code, exit, "answer", error.to_string()).fix(fix).cause(error)
}

/// What a model behind a service needs. Its own words say which setting, as far as it tells.
fn of_model(error: &LlmError) -> (&'static str, Exit, &'static str) {
    match error {
        LlmError::Temporary(_) | LlmError::Slow(_) => (
            "answer/failed",
            Exit::Temporary,
            "ask again; if it stays so, check OPENAI_BASE_URL: `chatbotctl env show` says where it comes from",
        ),
        LlmError::Busy(_) => (
            "answer/failed",
            Exit::Temporary,
            "ask again in a minute; with MODEL_FALLBACK=extractive the documents' own sentences answer meanwhile",
        ),
        LlmError::Denied(_) => (
            "answer/denied",
            Exit::Denied,
            "correct OPENAI_API_KEY, which is sent to OPENAI_BASE_URL: `chatbotctl env show` says where both come from",
        ),
        LlmError::Refused(_) => (
            "answer/refused",
            Exit::NotGood,
            "asking again changes nothing; check what is named: `chatbotctl env show` says where each setting comes from",
        ),
        LlmError::Declined(_) => ("answer/declined", Exit::NotGood, "ask something else"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: LlmError, backend: &str) -> Failure {
        failed(error.into(), backend)
    }

    #[test]
    fn what_to_do_is_said_by_who_failed() {
        let dead = || LlmError::Temporary("no connection".to_owned());
        for backend in ["openai", "chat"] {
            let failure = told(dead(), backend);
            assert!(failure.fix.as_ref().is_some_and(|fix| fix.contains("OPENAI_BASE_URL")), "{failure:?}");
            assert_eq!(failure.exit, Exit::Temporary);
        }
        let own = told(dead(), "extractive");
        assert!(own.fix.as_ref().is_some_and(|fix| fix.contains("docs status")), "{own:?}");
        let denied = told(LlmError::Denied(String::new()), "openai");
        assert_eq!(denied.exit, Exit::Denied);
        assert!(denied.fix.is_some_and(|fix| fix.contains("OPENAI_API_KEY")));
        assert_eq!(told(LlmError::Refused(String::new()), "chat").exit, Exit::NotGood);
    }
}

//! Which parameters a model takes: known for some by the facts about models, learnt from refusals for all others, and
//! remembered as long as the process runs.
//!
//! What keeps an answer private or restricts a search (`store`, `filters`) is never left out, whoever refuses it. What
//! bounds its cost is left out only for who does not know the parameter, never because its value is refused.

use std::sync::atomic::{AtomicU16, Ordering};

use crate::openai::responses::{FileSearch, Request};
use crate::openai::{ErrorKind, OpenAiError};

/// A parameter, and how a request becomes one without it.
type Optional = (&'static str, fn(&mut Request));

/// Parameters that an answer can be asked for without.
const OPTIONAL: [Optional; 9] = [
    (TEMPERATURE, |request| request.temperature = None),
    (BOUNDS[0], |request| request.max_output_tokens = None),
    (BOUNDS[1], |request| request.max_tool_calls = None),
    ("stream_options", |request| request.stream_options = None),
    ("safety_identifier", |request| request.safety_identifier = None),
    ("prompt_cache_key", |request| request.prompt_cache_key = None),
    ("include", |request| request.include.clear()),
    ("ranking_options", |request| {
        let plain = |tool: &FileSearch| FileSearch { ranking_options: None, ..tool.clone() };
        request.tools = request.tools.iter().map(plain).collect();
    }),
    ("stream", |request| {
        request.stream = None;
        request.stream_options = None;
    }),
];
const TEMPERATURE: &str = "temperature";
/// Parameters that bound what an answer costs.
const BOUNDS: [&str; 2] = ["max_output_tokens", "max_tool_calls"];

/// What a model was found to refuse: a bit for each parameter.
#[derive(Debug, Default)]
pub(super) struct Dialect(AtomicU16);

impl Dialect {
    /// Of a model that is known to think, or not.
    pub(super) fn of(reasons: bool) -> Self {
        let dialect = Self::default();
        if reasons {
            let known = OPTIONAL.iter().position(|(name, _)| *name == TEMPERATURE);
            dialect.0.fetch_or(known.map_or(0, bit), Ordering::Relaxed);
        }
        dialect
    }

    /// What was refused so far; to be given to [`Self::learn`] with the request that was made of it.
    pub(super) fn refused(&self) -> u16 {
        self.0.load(Ordering::Relaxed)
    }

    /// The request without what was refused.
    pub(super) fn spoken(&self, mut request: Request) -> Request {
        let refused = self.refused();
        for (place, (_, leave_out)) in OPTIONAL.iter().enumerate() {
            if refused & bit(place) != 0 {
                leave_out(&mut request);
            }
        }
        request
    }

    /// Learns from a refusal of a request without `refused`; says whether asking again makes sense.
    pub(super) fn learn(&self, error: &OpenAiError, refused: u16) -> bool {
        if error.kind != ErrorKind::Refused {
            return false;
        }
        let named =
            OPTIONAL.iter().enumerate().find(|(place, (name, _))| refused & bit(*place) == 0 && names(error, name));
        let Some((place, (name, _))) =
            named.filter(|(_, (name, _))| !BOUNDS.contains(name) || !is_about_a_value(error))
        else {
            return false;
        };
        tracing::info!(parameter = *name, "a parameter of the model is no longer sent");
        self.0.fetch_or(bit(place), Ordering::Relaxed);
        true
    }
}

/// Whether the refusal is about this parameter.
fn names(error: &OpenAiError, name: &str) -> bool {
    error.param.as_deref().is_some_and(|param| param.split(['.', '[', ']']).any(|part| part == name))
}

/// Whether the parameter is known and its value is not taken: `integer_above_max_value`, `invalid_value` and the like.
fn is_about_a_value(error: &OpenAiError) -> bool {
    error.code.as_deref().is_some_and(|code| code.ends_with("_value"))
}

fn bit(place: usize) -> u16 {
    1 << place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::FailedCall;
    use crate::openai::responses::{RankingOptions, StreamOptions};

    fn request() -> Request {
        let ranking = RankingOptions { ranker: "auto".to_owned(), score_threshold: 0.5 };
        Request {
            temperature: Some(0.3),
            stream: Some(true),
            stream_options: Some(StreamOptions { include_obfuscation: false }),
            tools: vec![FileSearch {
                vector_store_ids: vec!["vs_1".to_owned()],
                max_num_results: 5,
                filters: Some(serde_json::json!({ "type": "ne" })),
                ranking_options: Some(ranking),
            }],
            ..Request::default()
        }
    }

    fn refusal(param: &str, message: &str) -> OpenAiError {
        let call = FailedCall::new("POST /responses", ErrorKind::Refused, message);
        FailedCall { param: Some(param.to_owned()), status: Some(400), ..call }.into()
    }

    #[test]
    fn what_is_refused_is_not_sent_again() {
        let dialect = Dialect::of(false);
        assert_eq!(dialect.spoken(request()), request());
        assert!(dialect.learn(&refusal("temperature", "no"), dialect.refused()));
        assert!(!dialect.learn(&refusal("temperature", "no"), dialect.refused()), "it is not sent any more");
        assert!(dialect.learn(&refusal("tools[0].ranking_options.ranker", "no"), dialect.refused()));
        assert!(dialect.learn(&refusal("stream_options", "no"), dialect.refused()));
        let spoken = dialect.spoken(request());
        assert_eq!((spoken.temperature, spoken.stream, spoken.stream_options), (None, Some(true), None));
        assert_eq!(spoken.tools[0].ranking_options, None);
        assert!(spoken.tools[0].filters.is_some());
    }

    /// M2: neither privacy nor the filter goes because somebody refuses it.
    #[test]
    fn what_protects_is_never_left_out() {
        let dialect = Dialect::of(false);
        for param in ["store", "filters", "tools[0].filters", "input", "model"] {
            assert!(!dialect.learn(&refusal(param, "no"), dialect.refused()), "{param}");
        }
    }

    /// M7: a bound that is too high for the model is the operator's to lower; without it an answer had none.
    #[test]
    fn m7_bounds_go_only_where_they_are_not_known() {
        let refused = |param: &str, code: &str| {
            let failed = FailedCall::clone(&refusal(param, "no"));
            OpenAiError::from(FailedCall { code: Some(code.to_owned()), ..failed })
        };
        for bound in BOUNDS {
            let dialect = Dialect::of(false);
            for code in ["integer_above_max_value", "invalid_value"] {
                assert!(!dialect.learn(&refused(bound, code), dialect.refused()), "{bound} {code}");
            }
            assert!(dialect.learn(&refused(bound, "unsupported_parameter"), dialect.refused()), "{bound}");
        }
        let dialect = Dialect::of(false);
        assert!(dialect.learn(&refused("temperature", "unsupported_value"), dialect.refused()));
    }

    #[test]
    fn thinking_models_are_asked_without_a_temperature() {
        assert_eq!(Dialect::of(true).spoken(request()).temperature, None);
    }
}

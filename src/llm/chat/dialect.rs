//! Which parameters a model takes: known for some names, learnt from refusals for all others, and remembered as long
//! as the process runs.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::llm::chat::wire::Complaint;
use crate::llm::models::{Family, MaxOutput};

const TEMPERATURE: u8 = 1;
const MAX_TOKENS: u8 = 2;
const MAX_COMPLETION_TOKENS: u8 = 4;
const STREAM: u8 = 8;
const SYSTEM: u8 = 16;
const USAGE: u8 = 32;

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// `temperature`.
    pub(super) temperature: bool,
    /// `max_tokens`.
    pub(super) max_tokens: bool,
    /// `max_completion_tokens`.
    pub(super) max_completion_tokens: bool,
    /// `stream`.
    pub(super) stream: bool,
    /// Messages of the role `system`.
    pub(super) system: bool,
    /// `stream_options`, which asks a stream to count its tokens at its end.
    pub(super) usage: bool,
}

/// What a model was found to take.
#[derive(Debug)]
pub(super) struct Dialect(AtomicU8);

impl Dialect {
    /// What a model of this family is thought to take.
    pub(super) fn of(family: Family) -> Self {
        let bound = match family.max_output {
            MaxOutput::MaxTokens => MAX_TOKENS,
            MaxOutput::MaxCompletionTokens => MAX_COMPLETION_TOKENS,
        };
        let temperature = if family.reasons { 0 } else { TEMPERATURE };
        Self(AtomicU8::new(bound | temperature | STREAM | SYSTEM | USAGE))
    }

    /// What to send now.
    pub(super) fn manner(&self) -> Manner {
        let takes = self.0.load(Ordering::Relaxed);
        let has = |flag: u8| takes & flag != 0;
        Manner {
            temperature: has(TEMPERATURE),
            max_tokens: has(MAX_TOKENS),
            max_completion_tokens: has(MAX_COMPLETION_TOKENS),
            stream: has(STREAM),
            system: has(SYSTEM),
            // Without a stream the count comes with the answer.
            usage: has(USAGE) && has(STREAM),
        }
    }

    /// Learns from a refusal of what was sent in this manner; says whether asking again in another makes sense.
    pub(super) fn learn(&self, complaint: &Complaint, sent: Manner) -> bool {
        let names = |name: &str| complaint.param == name || complaint.message.contains(name);
        // `upstream` is no parameter.
        let quotes = |name: &str| ['\'', '`', '"'].iter().any(|mark| names(&format!("{mark}{name}{mark}")));
        let (without, with) = if sent.max_tokens && names("max_tokens") {
            (MAX_TOKENS, MAX_COMPLETION_TOKENS)
        } else if sent.max_completion_tokens && names("max_completion_tokens") {
            (MAX_COMPLETION_TOKENS, 0)
        } else if sent.temperature && names("temperature") {
            (TEMPERATURE, 0)
        } else if sent.usage && (names("stream_options") || names("include_usage")) {
            (USAGE, 0)
        } else if sent.system && is_about_the_system_role(complaint) {
            (SYSTEM, 0)
        } else if sent.stream && (complaint.param == "stream" || quotes("stream")) {
            (STREAM, 0)
        } else {
            return false;
        };
        // Another request may have learnt the same: the two steps then change nothing.
        self.0.fetch_and(!without, Ordering::Relaxed);
        self.0.fetch_or(with, Ordering::Relaxed);
        true
    }
}

/// Whether the model's template knows no system role.
pub(super) fn is_about_the_system_role(complaint: &Complaint) -> bool {
    complaint.speaks_of(&[
        "system role",
        "role 'system'",
        "role \"system\"",
        "'system' role",
        "system messages",
        "`system`",
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn complaint(param: &str, message: &str) -> Complaint {
        Complaint::of(&json!({ "param": param, "message": message, "code": "unsupported_parameter" }))
    }

    #[test]
    fn what_is_refused_is_not_sent_again() {
        let dialect = Dialect::of(Family::default());
        let first = dialect.manner();
        assert!(first.temperature && first.max_tokens && !first.max_completion_tokens && first.usage);
        let renamed = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        assert!(dialect.learn(&complaint("max_tokens", renamed), first));
        let second = dialect.manner();
        assert!(second.max_completion_tokens && !second.max_tokens);
        assert!(dialect.learn(&complaint("temperature", "Only the default (1) value is supported."), second));
        assert!(dialect.learn(&complaint("", "unknown field `max_completion_tokens`"), dialect.manner()));
        assert!(dialect.learn(&complaint("", "System role not supported"), dialect.manner()));
        assert!(
            dialect.learn(&complaint("", "Unrecognized request argument supplied: stream_options"), dialect.manner())
        );
        assert!(dialect.manner().stream && !dialect.manner().usage, "the stream itself is not what was refused");
        assert!(dialect.learn(&complaint("stream", ""), dialect.manner()));
        let last = dialect.manner();
        let nothing =
            !(last.temperature || last.max_tokens || last.max_completion_tokens || last.stream || last.system);
        assert!(nothing, "{last:?}");
        assert!(!dialect.learn(&complaint("temperature", "no"), last), "nothing is left to change");
    }

    #[test]
    fn reasoning_models_get_no_temperature() {
        let family = Family { reasons: true, max_output: MaxOutput::MaxCompletionTokens };
        let manner = Dialect::of(family).manner();
        assert!(!manner.temperature && !manner.max_tokens && manner.max_completion_tokens);
    }
}

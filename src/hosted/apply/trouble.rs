//! When a failed call is one document's misfortune, and when it ends the sync.

use crate::error::Problem;
use crate::hosted::HostedError;
use crate::openai::{ErrorKind, OpenAiError};

/// So many in a row are an outage, and no misfortune of single documents.
const TOO_MANY: u32 = 5;
/// A refusal is about its document, and a folder may have many of a kind side by side: so many are about all of them.
const TOO_MANY_REFUSED: u32 = 50;

/// Failed calls since the last one that worked.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    in_a_row: u32,
}

impl Trouble {
    /// A call worked.
    pub(super) fn over(&mut self) {
        self.in_a_row = 0;
    }

    /// What a failed call means for the document at `path`: a problem, or the end of it all.
    pub(super) fn with(&mut self, path: &str, error: OpenAiError) -> Result<Problem, HostedError> {
        self.in_a_row += 1;
        let is_ours = matches!(error.kind, ErrorKind::WrongKey | ErrorKind::Forbidden | ErrorKind::NoQuota);
        let too_many = if error.is_temporary() { TOO_MANY } else { TOO_MANY_REFUSED };
        if is_ours || self.in_a_row >= too_many {
            return Err(error.into());
        }
        let code = if error.is_temporary() { "openai/temporary" } else { "openai/refused" };
        Ok(Problem::new(path, code, format!("{error}; the next sync tries again")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::FailedCall;

    #[test]
    fn one_document_fails_alone_and_an_outage_ends_the_sync() {
        let error = |kind: ErrorKind| OpenAiError::from(FailedCall::new("POST /files", kind, "no"));
        let mut trouble = Trouble::default();
        for _ in 1..TOO_MANY {
            assert_eq!(trouble.with("a.md", error(ErrorKind::Server)).unwrap().code, "openai/temporary");
        }
        trouble.over();
        assert_eq!(trouble.with("a.md", error(ErrorKind::Refused)).unwrap().code, "openai/refused");
        assert!(trouble.with("a.md", error(ErrorKind::NoQuota)).is_err());
        trouble.over();
        let ends = (0..TOO_MANY).map(|_| trouble.with("a.md", error(ErrorKind::Connection))).last().unwrap();
        assert!(ends.is_err());
        trouble.over();
        for _ in 1..TOO_MANY_REFUSED {
            assert!(trouble.with("a.md", error(ErrorKind::Refused)).is_ok(), "the others still have their turn");
        }
        assert!(trouble.with("a.md", error(ErrorKind::Refused)).is_err());
    }
}

//! What the next answers of the Responses API say.

use serde::{Deserialize, Serialize};

/// One answer, or several alike. The default answers from the best hits of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScriptedAnswer {
    /// The text in its parts; none lets the stand-in write it, an empty list means no message at all.
    pub parts: Option<Vec<ScriptedPart>>,
    /// A refusal in place of text.
    pub refusal: Option<String>,
    /// Whether a reasoning item comes first.
    pub reasoning: bool,
    /// How often the model wants to search with each of its tools.
    pub searches: u32,
    /// What `index` of a citation counts.
    pub index: IndexMeaning,
    /// How it ends.
    pub ending: Ending,
    /// How many calls are answered so.
    pub calls: u32,
}

impl Default for ScriptedAnswer {
    fn default() -> Self {
        Self {
            parts: None,
            refusal: None,
            reasoning: false,
            searches: 1,
            index: IndexMeaning::default(),
            ending: Ending::default(),
            calls: 1,
        }
    }
}

impl ScriptedAnswer {
    /// Says this text, without citations.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self { parts: Some(vec![ScriptedPart { text: text.to_owned(), citations: Vec::new() }]), ..Self::default() }
    }

    /// Says nothing: no message among the output.
    #[must_use]
    pub fn empty() -> Self {
        Self { parts: Some(Vec::new()), ..Self::default() }
    }

    /// Refuses in these words.
    #[must_use]
    pub fn refuse(words: &str) -> Self {
        Self { refusal: Some(words.to_owned()), ..Self::default() }
    }

    /// Ends in this way after its text.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Begins another part of text.
    #[must_use]
    pub fn and_text(mut self, text: &str) -> Self {
        let part = ScriptedPart { text: text.to_owned(), citations: Vec::new() };
        self.parts.get_or_insert_default().push(part);
        self
    }

    /// Cites in the last part, at this many characters.
    #[must_use]
    pub fn citing(mut self, cited: Cited, at: usize) -> Self {
        if let Some(part) = self.parts.get_or_insert_default().last_mut() {
            part.citations.push(ScriptedCitation { cited, at });
        }
        self
    }

    /// Counts citations in this way.
    #[must_use]
    pub fn index(mut self, index: IndexMeaning) -> Self {
        self.index = index;
        self
    }

    /// Puts a reasoning item first.
    #[must_use]
    pub fn with_reasoning(mut self) -> Self {
        self.reasoning = true;
        self
    }

    /// Wants to search so often with each tool.
    #[must_use]
    pub fn searching(mut self, searches: u32) -> Self {
        self.searches = searches;
        self
    }

    /// Answers so many calls.
    #[must_use]
    pub fn calls(mut self, calls: u32) -> Self {
        self.calls = calls;
        self
    }
}

/// One part of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedPart {
    /// Its text.
    pub text: String,
    /// Its citations, in the order they are announced.
    #[serde(default)]
    pub citations: Vec<ScriptedCitation>,
}

/// One citation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedCitation {
    /// The file.
    pub cited: Cited,
    /// Where, in characters of the part.
    pub at: usize,
}

/// The file of a citation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cited {
    /// The nth best hit of the search, from 0. Without such a hit the citation is left out.
    Hit(usize),
    /// A file by id and name, which need not exist.
    File {
        /// Its id.
        id: String,
        /// Its name.
        filename: String,
    },
}

/// The two readings of `index` that are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexMeaning {
    /// Characters from the start of the part, as in the published example.
    #[default]
    CharacterOffset,
    /// The place of the file in the list of results, as in the description's text.
    ListIndex,
}

/// How an answer ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// `completed`.
    #[default]
    Completed,
    /// `incomplete` for this reason: `max_output_tokens` or `content_filter`.
    Incomplete(String),
    /// `failed` with this code, such as `vector_store_timeout`, `server_error` or `rate_limit_exceeded`.
    Failed(String),
    /// An `error` event with this code in the middle of the text, and nothing after it.
    ErrorEvent(String),
}

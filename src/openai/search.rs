//! Search in a vector store.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::openai::address::segment;
use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::retry::Safety;
use crate::openai::vector_store::Attributes;
use crate::openai::{OpenAiError, lenient};

/// A search.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Search {
    /// The words of a person.
    pub query: String,
    /// 1 to 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_num_results: Option<usize>,
    /// A comparison or a combination of such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Value>,
    /// Ranker and threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranking_options: Option<Value>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Found {
    /// The file.
    pub file_id: String,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub filename: String,
    /// 0 to 1, higher is better.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub score: f64,
    /// What was attached to it.
    #[serde(default, deserialize_with = "lenient::attributes")]
    pub attributes: Option<Attributes>,
    /// The pieces of text.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub content: Vec<Text>,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Text {
    /// The text.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub text: String,
}

/// The attribute of every document of ours that tells whether it is for some readers only.
pub const RESTRICTED: &str = "restricted";

/// The filter of every search for a visitor: `filters`, and no document that is for some readers only.
///
/// It says "not true" rather than "false": every document of ours has the attribute, and files of others, which have
/// none, are for the service to find as it did before they were looked at by us. A restricted one is never true to it.
#[must_use]
pub fn visible_filter(filters: Option<Value>) -> Value {
    let open = json!({ "type": "ne", "key": RESTRICTED, "value": true });
    match filters {
        None | Some(Value::Null) => open,
        Some(filters) => json!({ "type": "and", "filters": [open, filters] }),
    }
}

#[derive(Deserialize)]
struct Results {
    data: Vec<Found>,
}

impl Client {
    /// Searches a vector store, best first.
    pub async fn search(&self, store_id: &str, search: &Search) -> Result<Vec<Found>, OpenAiError> {
        let path = format!("/vector_stores/{}/search", segment(store_id));
        let call = Call::post(path).json(search)?.safe(Safety::Read).private();
        self.send(&call).await.map(|results: Results| results.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No filter of the settings takes the place of the one that hides restricted documents.
    #[test]
    fn every_search_of_a_visitor_leaves_restricted_documents_out() {
        let open = json!({ "type": "ne", "key": "restricted", "value": true });
        assert_eq!(visible_filter(None), open);
        assert_eq!(visible_filter(Some(Value::Null)), open);
        let own = json!({ "type": "or", "filters": [{ "type": "eq", "key": "restricted", "value": true }] });
        assert_eq!(visible_filter(Some(own.clone())), json!({ "type": "and", "filters": [open, own] }));
    }
}

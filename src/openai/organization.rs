//! What the organisation used and paid: for administrators' keys (`OPENAI_ADMIN_KEY`).

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::openai::address::Account;
use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::{ErrorKind, FailedCall, OpenAiError, lenient};

/// Days that one page may hold (parameter `limit` of `GET /organization/costs`).
const COST_DAYS: &str = "180";
/// Days that one page of usage may hold (parameter `limit` at a `bucket_width` of a day).
const USAGE_DAYS: &str = "31";

/// Which days, and how they are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Period {
    /// From, in seconds since 1970.
    pub start: i64,
    /// Until, in seconds since 1970; without it until now.
    pub end: Option<i64>,
    /// `project_id`, `line_item`, `model`, `vector_store_id` …, as the call allows.
    pub group_by: Vec<String>,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Bucket<T> {
    /// From, in seconds since 1970.
    pub start_time: i64,
    /// Until, in seconds since 1970.
    pub end_time: i64,
    /// One for each group.
    #[serde(default = "Vec::new")]
    pub results: Vec<T>,
}

/// What was paid.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Cost {
    /// How much.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// For what.
    #[serde(default)]
    pub line_item: Option<String>,
    /// By which project.
    #[serde(default)]
    pub project_id: Option<String>,
}

/// Money.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Amount {
    /// How much.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub value: f64,
    /// `usd`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub currency: String,
}

/// What was used; which of the figures there are depends on the kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct UsedAmount {
    /// Tokens in.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub input_tokens: u64,
    /// Those of them that were remembered from before.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub input_cached_tokens: u64,
    /// Tokens out.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub output_tokens: u64,
    /// Requests, or searches.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub num_model_requests: u64,
    /// Searches in files.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub num_requests: u64,
    /// Bytes in vector stores.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub usage_bytes: u64,
    /// By which model.
    #[serde(default)]
    pub model: Option<String>,
    /// By which project.
    #[serde(default)]
    pub project_id: Option<String>,
    /// In which vector store.
    #[serde(default)]
    pub vector_store_id: Option<String>,
}

/// What can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageKind {
    /// Answers.
    Completions,
    /// Embeddings.
    Embeddings,
    /// The storage of vector stores.
    VectorStores,
    /// Searches in files.
    FileSearchCalls,
}

impl UsageKind {
    fn path(self) -> &'static str {
        match self {
            Self::Completions => "/organization/usage/completions",
            Self::Embeddings => "/organization/usage/embeddings",
            Self::VectorStores => "/organization/usage/vector_stores",
            Self::FileSearchCalls => "/organization/usage/file_search_calls",
        }
    }
}

#[derive(Deserialize)]
struct Days<T> {
    #[serde(default = "Vec::new")]
    data: Vec<Bucket<T>>,
    #[serde(default)]
    has_more: bool,
    #[serde(default)]
    next_page: Option<String>,
}

impl Client {
    /// What the organisation paid, day by day.
    pub async fn costs(&self, period: &Period) -> Result<Vec<Bucket<Cost>>, OpenAiError> {
        self.days("/organization/costs", period, COST_DAYS).await
    }

    /// What the organisation used, day by day.
    pub async fn usage(&self, kind: UsageKind, period: &Period) -> Result<Vec<Bucket<UsedAmount>>, OpenAiError> {
        self.days(kind.path(), period, USAGE_DAYS).await
    }

    async fn days<T: DeserializeOwned>(
        &self,
        path: &str,
        period: &Period,
        limit: &str,
    ) -> Result<Vec<Bucket<T>>, OpenAiError> {
        let (start, end) = (period.start.to_string(), period.end.map(|end| end.to_string()));
        let mut query = vec![("start_time", start.as_str()), ("bucket_width", "1d"), ("limit", limit)];
        query.extend(end.as_deref().map(|end| ("end_time", end)));
        query.extend(period.group_by.iter().map(|group| ("group_by", group.as_str())));
        let mut days = Vec::new();
        let mut seen = HashSet::new();
        let mut page: Option<String> = None;
        loop {
            let mut call = Call::get(path).query(&query).of(Account::Organization);
            call.query.extend(page.as_deref().map(|page| ("page", page)));
            let name = call.name();
            let got: Days<T> = self.send(&call).await.map_err(kindly)?;
            days.extend(got.data);
            let Some(next) = got.next_page.filter(|_| got.has_more) else { return Ok(days) };
            if !seen.insert(next.clone()) {
                return Err(FailedCall::new(&name, ErrorKind::Broken, "the pages of this list go round").into());
            }
            page = Some(next);
        }
    }
}

/// A project's key is no administrator's, and the service's own words do not say so.
fn kindly(error: OpenAiError) -> OpenAiError {
    if error.status.is_none() || !matches!(error.kind, ErrorKind::WrongKey | ErrorKind::Forbidden) {
        return error;
    }
    let message = "only a key of an administrator may read this: set OPENAI_ADMIN_KEY to one (a project's key is none)";
    FailedCall { message: message.to_owned(), ..FailedCall::clone(&error) }.into()
}

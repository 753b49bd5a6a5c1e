//! The id that ties an answer to its log lines. Known to everything that runs within the request.

use std::future::Future;

use axum::http::HeaderMap;

use crate::clock::IdSource;

/// The header that carries it, both ways.
pub const HEADER: &str = "x-request-id";
const MAX_CHARS: usize = 64;

tokio::task_local! {
    static CURRENT: String;
}

/// Runs `work` with `id` as the current id.
pub async fn scope<T>(id: String, work: impl Future<Output = T>) -> T {
    CURRENT.scope(id, work).await
}

/// The current id; empty outside a request.
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// The caller's id if it is a harmless one, else a new one.
pub fn choose(headers: &HeaderMap, ids: &dyn IdSource) -> String {
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
    match given {
        Some(id) if is_harmless(id) => id.to_owned(),
        _ => ids.new_id("req"),
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_CHARS).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

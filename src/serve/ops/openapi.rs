//! The description of the public side, for programs and people that call it.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

/// The description as it is edited.
const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/openapi.yaml"));

/// The same in JSON, made once.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| describe().to_string());

/// `GET /openapi.json`
pub async fn show() -> Response {
    let content_type = HeaderValue::from_static("application/json");
    (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], DOCUMENT.as_str()).into_response()
}

/// The description, with this program's version.
pub fn describe() -> Value {
    let mut document: Value = serde_yaml::from_str(SOURCE).expect("the embedded description is YAML; a test reads it");
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document
}

//! The page, embedded in the binary.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::serve::error::ApiError;

/// Only our own files, and nothing inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// A copy may be kept but must be asked about: the files change with the binary.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

/// Rows of [`ASSETS`] from names in `templates/web`.
macro_rules! assets {
    ($($name:literal: $media_type:expr,)*) => {
        &[$(Asset {
            name: $name,
            media_type: $media_type,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/web/", $name)),
        }),*]
    };
}

/// All files of the page but the first.
const ASSETS: &[Asset] = assets! {
    "api.js": SCRIPT,
    "app.css": CSS,
    "app.js": SCRIPT,
    "attachments.js": SCRIPT,
    "composer.js": SCRIPT,
    "conversation.js": SCRIPT,
    "dom.js": SCRIPT,
    "favicon.svg": SVG,
    "form.js": SCRIPT,
    "items.js": SCRIPT,
    "markdown.js": SCRIPT,
    "message.js": SCRIPT,
    "preview.css": CSS,
    "safe.js": SCRIPT,
    "sources.js": SCRIPT,
    "sse.js": SCRIPT,
    "threads.js": SCRIPT,
    "widget.js": SCRIPT,
};

/// The page itself.
const INDEX: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/web/index.html"));

/// `GET /`
pub async fn index() -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HTML);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    (StatusCode::OK, headers, INDEX).into_response()
}

/// `GET /assets/{name}`
pub async fn asset(name: Result<Path<String>, PathRejection>) -> Result<Response, ApiError> {
    let Path(name) = name?;
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or_else(|| ApiError::not_found("no such asset"))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
    Ok((StatusCode::OK, headers, asset.bytes).into_response())
}

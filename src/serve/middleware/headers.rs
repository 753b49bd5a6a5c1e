//! Headers that make browsers careful, on every answer.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::serve::state::AppState;
use crate::serve::visitor::Transport;

/// Nothing may be loaded, run or framed: right for everything that is not a page.
const STRICT_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
/// For this host alone: whether its siblings speak HTTPS is not ours to say.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

const ALWAYS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"),
];

/// Adds them. A route may have set its own content security policy and caching; those stay.
pub async fn add(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if state.live().cookies.transport == Transport::Https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    add_if_absent(headers, header::CONTENT_SECURITY_POLICY, STRICT_POLICY);
    add_if_absent(headers, header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn add_if_absent(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

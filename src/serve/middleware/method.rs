//! Refuses methods that no route has, whatever the path: TRACE would echo what only the server should see, CONNECT
//! would make a proxy of it (RFC 9110, sections 9.3.6 and 9.3.8).

use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::serve::error::ApiError;

/// What is let through to the routes, which have their own lists.
const KNOWN: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS, Method::PUT, Method::DELETE, Method::PATCH];
const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT");

/// 405 with `Allow`.
pub async fn check(request: Request, next: Next) -> Response {
    if KNOWN.contains(request.method()) {
        return next.run(request).await;
    }
    let mut response = ApiError::no_such_method().into_response();
    response.headers_mut().insert(header::ALLOW, ALLOWED);
    response
}

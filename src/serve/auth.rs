//! Who calls.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;

use crate::config::AuthMode;
use crate::model::thread::Principal;
use crate::serve::state::AppState;
use crate::serve::visitor;

/// The id of the one principal without sign-in.
const LOCAL: &str = "local";
/// Where the page is.
const PAGE: &str = "/";

/// Puts the [`Principal`] into the request's extensions, and a cookie onto the answer for one never seen
/// before. The page renews it, so that only a visitor who stays away for long is forgotten.
pub async fn identify(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if state.auth_mode == AuthMode::Off {
        request.extensions_mut().insert(Principal { id: LOCAL.to_owned() });
        return next.run(request).await;
    }
    let cookies = state.live().cookies;
    let known = visitor::read(request.headers(), &state.visitor_key, cookies);
    let gets_cookie = known.is_none() || request.uri().path() == PAGE;
    let who = known.unwrap_or_else(|| visitor::make(state.ids.as_ref()));
    request.extensions_mut().insert(who.clone());
    let mut response = next.run(request).await;
    if gets_cookie {
        let cookie = visitor::set_cookie(&who, &state.visitor_key, cookies);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

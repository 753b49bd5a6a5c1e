//! Who calls.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::config::AuthMode;
use crate::model::thread::Principal;
use crate::serve::state::AppState;
use crate::serve::visitor::{self, Presented};

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
    let presented = request.extensions_mut().remove::<Presented>();
    let known = match presented.unwrap_or_else(|| recognise(&state, request.headers())) {
        Presented::Visitor(who) => Some(who),
        Presented::Nothing | Presented::Forged => None,
    };
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

/// What a caller shows of itself. Without sign-in nothing counts: everybody is the same principal.
pub fn recognise(state: &AppState, headers: &HeaderMap) -> Presented {
    match state.auth_mode {
        AuthMode::Off => Presented::Nothing,
        AuthMode::Visitor => visitor::read(headers, &state.visitor_key, state.live().cookies),
    }
}

//! Who may reach the operators' side: programs of this machine, or whoever has the token; never a page in a browser.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::config::AuthMode;
use crate::secret::Secret;
use crate::serve::ServeError;
use crate::serve::connections::Peer;
use crate::serve::error::ApiError;
use crate::serve::ops::OpsState;
use crate::serve::ops::failures::Failures;
use crate::serve::origin::{Names, Origins};
use crate::serve::request_id;

/// How a caller shows who it is (RFC 6750).
const SCHEME: &str = "Bearer";
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"operations\"");
/// The name of this limit among the metrics.
const LIMIT: &str = "ops_token";

/// Who is let in.
pub struct Access {
    /// The token's hash: comparing hashes takes the same time whatever the lengths are.
    token: Option<[u8; 32]>,
    names: Names,
    failures: Failures,
}

impl Access {
    /// On a loopback address only its names count (DNS rebinding); elsewhere the token stands for all.
    pub fn new(token: Option<Secret>, address: Option<SocketAddr>) -> Self {
        let is_local = address.is_none_or(|address| address.ip().to_canonical().is_loopback());
        Self {
            token: token.map(|token| hash(token.expose().as_bytes())),
            names: if is_local { Names::Known(None) } else { Names::Any },
            failures: Failures::default(),
        }
    }

    /// Who asks. A token is looked at only when its address has tries left, and each wrong one takes one.
    pub fn judge(&self, request: &Request) -> Caller {
        let Some(token) = &self.token else {
            return Caller::Operator;
        };
        let Some(given) = presented(request.headers()) else {
            return Caller::Stranger;
        };
        let address = address(request);
        if let Err(wait) = self.failures.begin(address, Instant::now()) {
            return Caller::MustWait(wait);
        }
        if is_same(token, given) {
            self.failures.right(address);
            return Caller::Operator;
        }
        tracing::warn!(peer = %address, "somebody has a wrong token for the operations listener");
        Caller::Wrong
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// One who has the token; anybody where none is needed.
    Operator,
    /// One without a token.
    Stranger,
    /// One with a wrong token.
    Wrong,
    /// One who had too many wrong tokens, and may try again after this time.
    MustWait(Duration),
}

/// Gives the request its id, and logs that it was made. Who asks for metrics all the time is no news.
pub async fn name_request(State(ops): State<OpsState>, request: Request, next: Next) -> Response {
    let id = request_id::choose(request.headers(), ops.app.ids.as_ref());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let mut response = request_id::scope(id.clone(), next.run(request)).await;
    let value = HeaderValue::try_from(&id).expect("request ids are letters, digits, `_` and `-`");
    response.headers_mut().insert(request_id::HEADER, value);
    let status = response.status().as_u16();
    tracing::debug!(request.id = %id, http.method = %method, http.route = route, http.status = status, "operator answered");
    response
}

/// Refuses what a page in a browser sends, whichever name it made point here.
pub async fn check_place(State(ops): State<OpsState>, request: Request, next: Next) -> Response {
    let checked = ops.access.names.check(request.headers()).and_then(|()| {
        let origins =
            Origins::new(&[], None, AuthMode::Off).map_err(|ServeError::Setting { .. }| ApiError::internal())?;
        origins.check(request.method(), request.headers())
    });
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Refuses who has not the token, where there is one.
pub async fn check_token(State(ops): State<OpsState>, request: Request, next: Next) -> Response {
    match ops.access.judge(&request) {
        Caller::Operator => next.run(request).await,
        Caller::Stranger => unauthorized("the operations listener needs a token"),
        Caller::Wrong => {
            ops.app.metrics.error("wrong_token");
            unauthorized("the token is wrong")
        }
        Caller::MustWait(wait) => {
            ops.app.metrics.refused(LIMIT);
            too_many(wait)
        }
    }
}

/// The one token that a request shows. Two, or a malformed one, are none (A6).
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = only.as_bytes().split_at_checked(SCHEME.len())?;
    let token = token.strip_prefix(b" ")?.trim_ascii();
    (scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) && !token.is_empty()).then_some(token)
}

fn is_same(token: &[u8; 32], given: &[u8]) -> bool {
    hash(given).ct_eq(token).into()
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token.trim_ascii()).into()
}

/// Connections without an address of their own count together.
fn address(request: &Request) -> IpAddr {
    request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(peer)| *peer)
}

fn unauthorized(message: &str) -> Response {
    let mut response = ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
    response
}

fn too_many(wait: Duration) -> Response {
    let message = "there were too many wrong tokens from this address; wait before the next try";
    ApiError::too_many_requests(wait).say(message).into_response()
}

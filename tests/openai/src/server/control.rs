//! `/__control/…`: what the handle does, for programs that run beside the stand-in. Needs no key.

use axum::body::Body;
use axum::response::Response;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

use crate::fault::Fault;
use crate::script::ScriptedAnswer;
use crate::server::{Shared, answer};

const MAX_BODY: usize = 1024 * 1024;

/// Time to let pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pass {
    ms: u64,
}

/// Answers a call about the stand-in itself.
pub(crate) async fn answer(shared: &Shared, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let done = json!({"done": true});
    let result = match (head.method.as_str(), head.uri.path()) {
        ("POST", "/__control/fault") => read::<Fault>(&body).map(|fault| {
            shared.world().armed.arm(fault);
            done
        }),
        ("POST", "/__control/heal") => {
            shared.world().heal();
            Ok(done)
        }
        ("POST", "/__control/answer") => read::<ScriptedAnswer>(&body).map(|script| {
            shared.world().scripts.push_back(script);
            done
        }),
        ("POST", "/__control/pass") => read::<Pass>(&body).map(|pass| {
            shared.world().pass(Duration::from_millis(pass.ms));
            done
        }),
        ("GET", "/__control/log") => Ok(json!(*shared.log())),
        ("DELETE", "/__control/log") => {
            shared.log().clear();
            Ok(done)
        }
        ("GET", "/__control/state") => Ok(json!(shared.world().snapshot())),
        _ => Err((StatusCode::NOT_FOUND, "no such control".to_owned())),
    };
    let (status, value) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err((status, message)) => (status, json!({"error": message})),
    };
    answer::with_body(status, "application/json", Body::from(value.to_string()))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    let value: Value = serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    serde_json::from_value(value).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

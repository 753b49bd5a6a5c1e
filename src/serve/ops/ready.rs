//! Whether the server should get requests: for whoever distributes them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::serve::ops::OpsState;
use crate::serve::ops::access::Caller;
use crate::serve::route;
use crate::serve::route::health::{self, Health};

/// `GET /ready`: without the token only the status, with it (or where none is needed) also which part fails.
pub async fn show(State(ops): State<OpsState>, request: Request) -> Response {
    // Also here: else this would be where tokens are tried.
    let caller = ops.access.judge(&request);
    let is_draining = ops.draining.is_cancelled();
    let Health { store, index } = health::look(&ops.app).await;
    let (status, word) = match (is_draining, store && index) {
        (false, true) => (StatusCode::OK, "ready"),
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "unready"),
    };
    let mut body = json!({"status": word});
    if caller == Caller::Operator {
        let told = |works: bool| if works { "ok" } else { "failed" };
        body["store"] = told(store).into();
        body["index"] = told(index).into();
    }
    route::json_with(status, &body)
}

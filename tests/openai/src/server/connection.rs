//! Connections: accepted on a thread of their own, each of which can be cut off in the middle.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;

use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::server::{Shared, front};

/// Serves until the token of `shared` is cancelled.
pub(crate) fn serve(listener: TcpListener, shared: &Arc<Shared>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime needs nothing but threads");
    runtime.block_on(accept(listener, shared));
    runtime.shutdown_background();
}

async fn accept(listener: TcpListener, shared: &Arc<Shared>) {
    listener.set_nonblocking(true).expect("a socket can be made non-blocking");
    let listener = tokio::net::TcpListener::from_std(listener).expect("the socket is non-blocking");
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(connection(stream, Arc::clone(shared)));
                }
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Small events of streams are not to wait for each other.
    let _ = stream.set_nodelay(true);
    let cut = CancellationToken::new();
    let (asked, stop) = (cut.clone(), shared.stop.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, cut) = (Arc::clone(&shared), asked.clone());
        async move { Ok::<_, Infallible>(front::answer(&shared, &cut, request.map(Body::new)).await) }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error here is the client's going away.
        _ = &mut connection => {}
        () = stop.cancelled() => {}
        () = cut.cancelled() => reset(connection.into_parts().io.into_inner()),
    }
}

/// Closes without the handshake, so that the other side sees a reset.
fn reset(stream: TcpStream) {
    // Where the option is refused the connection is closed all the same.
    let _ = stream.set_zero_linger();
    drop(stream);
}

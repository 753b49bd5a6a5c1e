//! What the two sides of a connection tell each other: the gate that reads requests, and the service that answers.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::body::{Body, Bytes, HttpBody};
use futures_util::task::AtomicWaker;
use hyper::body::{Frame, SizeHint};

use crate::serve::connections::head::Refusal;

/// One request at a time: HTTP/1.1 answers in order.
#[derive(Debug, Default, Clone)]
pub struct Exchange(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_answering: AtomicBool,
    is_receiving: AtomicBool,
    refusal: Mutex<Option<Refusal>>,
    reader: AtomicWaker,
}

impl Exchange {
    /// A request's head goes to the service; `refusal` is what it is to be answered with, if that is known already.
    pub fn begin(&self, refusal: Option<Refusal>) {
        *self.0.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        self.0.is_answering.store(true, Ordering::SeqCst);
    }

    /// Takes what the request is to be answered with.
    pub fn take_refusal(&self) -> Option<Refusal> {
        self.0.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether a request is being answered.
    pub fn is_answering(&self) -> bool {
        self.0.is_answering.load(Ordering::SeqCst)
    }

    /// Whether the body of a request is still coming.
    pub fn is_receiving(&self) -> bool {
        self.0.is_receiving.load(Ordering::SeqCst)
    }

    /// Notes whether the body of a request is still coming.
    pub fn set_receiving(&self, is_receiving: bool) {
        self.0.is_receiving.store(is_receiving, Ordering::SeqCst);
    }

    /// Whether a request is being answered; if so, `reader` is woken at its end.
    pub fn wake_after_answer(&self, reader: &Waker) -> bool {
        // Registered before looking, so that no end is missed in between.
        self.0.reader.register(reader);
        self.is_answering()
    }

    /// An answer's body, at whose end the exchange ends.
    pub fn answer(&self, body: Body) -> Answer {
        Answer { body, _end: End(self.clone()) }
    }
}

/// Ends an exchange when dropped.
struct End(Exchange);

impl Drop for End {
    fn drop(&mut self) {
        self.0.0.is_answering.store(false, Ordering::SeqCst);
        self.0.0.reader.wake();
    }
}

/// An answer's body; the exchange lasts until its last byte is taken or it is dropped.
pub struct Answer {
    body: Body,
    _end: End,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! Server-sent events, whole or as the faults leave them.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::fault::Act;
use crate::server::answer;
use crate::server::front::pause;

/// What is written, piece by piece, and what comes after the last piece.
pub(crate) struct Frames {
    pieces: Vec<Bytes>,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Clean,
    Silence,
    Reset,
}

/// Writes events as the faults want them.
pub(crate) fn frames(events: &[Value], named: bool, acts: &[Act]) -> Frames {
    let mut texts: Vec<String> = events.iter().map(|event| frame(event, named)).collect();
    if !named {
        texts.push("data: [DONE]\n\n".to_owned());
    }
    let mut end = End::Clean;
    for act in acts {
        match act {
            Act::StalledStream { after } => end = shorten(&mut texts, *after, End::Silence),
            Act::TruncatedStream { after } => end = shorten(&mut texts, *after, End::Clean),
            Act::ResetStream { after } => end = shorten(&mut texts, *after, End::Reset),
            Act::DuplicatedEvents => texts = texts.into_iter().flat_map(|text| [text.clone(), text]).collect(),
            Act::UnknownEvents => texts = with_unknown(&texts, named),
            _ => {}
        }
    }
    let pieces = if acts.contains(&Act::SplitAnywhere) { split(&texts.concat()) } else { whole(texts) };
    Frames { pieces, end }
}

/// Sends them, with a pause between two.
pub(crate) fn response(frames: Frames, gap: Duration, cut: &CancellationToken) -> Response {
    let (end, cut) = (frames.end, cut.clone());
    let pieces = stream::unfold((frames.pieces.into_iter(), true), move |(mut pieces, first)| {
        let cut = cut.clone();
        async move {
            if !first {
                pause(gap).await;
            }
            if let Some(piece) = pieces.next() {
                // Lets the piece before it leave on its own.
                tokio::task::yield_now().await;
                return Some((Ok::<_, std::io::Error>(piece), (pieces, false)));
            }
            match end {
                End::Clean => return None,
                End::Silence => {}
                End::Reset => {
                    // What was said is to arrive before the reset, which throws away what is still to be sent.
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    cut.cancel();
                }
            }
            std::future::pending().await
        }
    });
    answer::with_body(StatusCode::OK, "text/event-stream; charset=utf-8", Body::from_stream(pieces))
}

fn frame(event: &Value, named: bool) -> String {
    match event["type"].as_str() {
        Some(kind) if named => format!("event: {kind}\ndata: {event}\n\n"),
        _ => format!("data: {event}\n\n"),
    }
}

/// Never the whole: the last event does not come.
fn shorten(texts: &mut Vec<String>, after: usize, end: End) -> End {
    texts.truncate(after.min(texts.len().saturating_sub(1)));
    end
}

fn with_unknown(texts: &[String], named: bool) -> Vec<String> {
    let unknown = frame(&json!({"type": "response.weather.changed", "weather": {"sky": "grün"}, "item": 7}), named);
    let mut mixed = Vec::new();
    for text in texts {
        mixed.extend([": keep-alive\n\n".to_owned(), unknown.clone(), text.clone()]);
    }
    mixed
}

fn whole(texts: Vec<String>) -> Vec<Bytes> {
    texts.into_iter().map(Bytes::from).collect()
}

/// Pieces of one to seven bytes, wherever they fall.
fn split(text: &str) -> Vec<Bytes> {
    let mut rest = text.as_bytes();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let len = (pieces.len() * 5 % 7 + 1).min(rest.len());
        let (piece, after) = rest.split_at(len);
        pieces.push(Bytes::copy_from_slice(piece));
        rest = after;
    }
    pieces
}

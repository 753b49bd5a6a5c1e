//! Each misbehaviour of the service, and what comes out of it.

use std::time::{Duration, Instant};

use openai_stand_in::{Act, ErrorBody, Fault, Hint, Rules, StandIn};

use crate::openai::tests::{patience, service_and_client, service_and_client_with, settings, store_and_file, upload};
use crate::openai::vector_store::{Attachment, Attributes, StoreChange};
use crate::openai::{Client, ErrorKind, OpenAiError, Patience};

/// A call of each sort: how often a failed one is sent, and what is known after it, differs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sort {
    /// `GET /models`
    Read,
    /// `POST /vector_stores`, which twice is one too many.
    Once,
    /// `DELETE /files/{id}`
    Delete,
}

const SORTS: [Sort; 3] = [Sort::Read, Sort::Once, Sort::Delete];

async fn call(client: &Client, sort: Sort) -> Result<(), OpenAiError> {
    match sort {
        Sort::Read => client.models().await.map(drop),
        Sort::Once => client.create_store(&StoreChange::default()).await.map(drop),
        Sort::Delete => client.delete_file("file-1").await,
    }
}

/// What a call whose every attempt is struck ends in: the error, and how often it was sent.
async fn struck(act: &Act, sort: Sort) -> (OpenAiError, usize) {
    // Only what stalls is given up soon: on a busy machine others would be, too, and be counted differently.
    let time = Duration::from_millis(if matches!(act, Act::Stall(_)) { 300 } else { 10_000 });
    let patience = Patience { head: time, idle: time, ..patience() };
    let (service, client) = service_and_client_with(Rules::default(), patience).await;
    service.fail(Fault::always(act.clone()));
    let error = call(&client, sort).await.expect_err("every attempt is struck");
    assert!(!error.to_string().contains(service.key()) && !format!("{error:?}").contains(service.key()));
    (error, service.log().len())
}

fn status(code: u16, body: ErrorBody, hints: &[Hint]) -> Act {
    Act::Status { code, body, hints: hints.to_vec() }
}

/// What is expected: the kind, whether a write may be done, and how often a read, a write and a deletion are sent.
struct Expected(ErrorKind, bool, [usize; 3]);

#[tokio::test]
async fn every_fault_ends_in_its_error_after_as_many_attempts_as_are_safe() {
    use ErrorBody::{Empty, Html, Json, Plain};
    use ErrorKind::{Broken, Connection, Forbidden, NoQuota, RateLimited, Refused, Server, TimedOut, WrongKey};
    let again = [3, 3, 3];
    let never = [1, 1, 1];
    let unless_a_write = [3, 1, 3];
    let ms = |ms| Hint::RetryAfterMs(ms);
    let table = [
        (status(400, Json, &[]), Expected(Refused, false, never)),
        (status(403, Json, &[]), Expected(Forbidden, false, never)),
        (status(413, Html, &[]), Expected(Refused, false, never)),
        (status(408, Empty, &[]), Expected(TimedOut, true, unless_a_write)),
        (status(409, Json, &[]), Expected(ErrorKind::Conflict, false, again)),
        (status(500, Json, &[]), Expected(Server, true, unless_a_write)),
        (status(500, Json, &[Hint::ShouldRetry(false)]), Expected(Server, true, never)),
        (status(502, Html, &[]), Expected(Server, true, unless_a_write)),
        (status(503, Plain, &[]), Expected(Server, true, unless_a_write)),
        (status(503, Json, &[ms(1)]), Expected(Server, false, again)),
        (status(503, Json, &[ms(60_000)]), Expected(Server, false, never)),
        (status(504, Empty, &[]), Expected(Server, true, unless_a_write)),
        (status(429, Json, &[ms(1)]), Expected(RateLimited, false, again)),
        (status(429, Json, &[Hint::RetryAfter(3600)]), Expected(RateLimited, false, never)),
        (Act::RateLimited { retry_after: None }, Expected(RateLimited, false, again)),
        (Act::NoQuota, Expected(NoQuota, false, never)),
        (Act::WrongKey, Expected(WrongKey, false, never)),
        (Act::ResetBefore, Expected(Connection, true, unless_a_write)),
        (Act::LostAnswer, Expected(Connection, true, unless_a_write)),
        (Act::Stall(Duration::from_mins(1)), Expected(TimedOut, true, unless_a_write)),
        (Act::TruncatedBody, Expected(Connection, true, unless_a_write)),
        (Act::GarbledJson, Expected(Broken, true, unless_a_write)),
    ];
    for (act, Expected(kind, may_be_done, attempts)) in table {
        for (sort, expected) in SORTS.into_iter().zip(attempts) {
            // What a deletion answers is not looked at, and its work was done by the attempt before.
            if sort == Sort::Delete && matches!(act, Act::LostAnswer | Act::TruncatedBody | Act::GarbledJson) {
                continue;
            }
            let (error, sent) = struck(&act, sort).await;
            assert_eq!((error.kind, sent), (kind, expected), "{act:?} {sort:?}: {error}");
            assert_eq!(error.may_be_done, may_be_done && sort != Sort::Read, "{act:?} {sort:?}: {error}");
            let is_answered = error.status.is_some();
            assert!(
                error.request_id.is_some() == is_answered && error.client_request_id.is_some(),
                "{act:?}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_passes_is_not_noticed() {
    let (service, client) = service_and_client().await;
    for act in [
        status(500, ErrorBody::Html, &[]),
        status(429, ErrorBody::Json, &[Hint::RetryAfterDate(1)]),
        Act::RateLimited { retry_after: Some(1) },
        Act::ResetBefore,
        Act::LostAnswer,
        Act::TruncatedBody,
        Act::GarbledJson,
    ] {
        service.clear_log();
        service.fail(Fault::always(act.clone()).times(1));
        call(&client, Sort::Read).await.unwrap_or_else(|error| panic!("{act:?}: {error}"));
        assert_eq!(service.log().len(), 2, "{act:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_write_makes_no_second_thing() {
    let (service, client) = service_and_client().await;
    service.fail(Fault::on("POST", "/vector_stores", Act::LostAnswer));
    service.fail(Fault::on("POST", "/files", Act::LostAnswer));
    assert!(client.create_store(&StoreChange::default()).await.unwrap_err().may_be_done);
    assert!(client.upload(&upload("a.txt", "a")).await.unwrap_err().may_be_done);
    assert_eq!((service.state().stores.len(), service.state().files.len()), (1, 1));
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_done() {
    let (service, client) = service_and_client().await;
    let (store, file) = store_and_file(&client).await;
    let attachment =
        Attachment { file_id: file.id.clone(), attributes: Attributes::default(), chunking_strategy: None };
    client.attach(&store.id, &attachment).await.unwrap();
    service.fail(Fault::on("DELETE", "/vector_stores/{id}/files/{id}", Act::LostAnswer).times(1));
    client.detach(&store.id, &file.id).await.unwrap();
    service.fail(Fault::on("DELETE", "/vector_stores/{id}", Act::LostAnswer).times(1));
    client.delete_store(&store.id).await.unwrap();
    service.fail(Fault::on("DELETE", "/files/{id}", Act::TruncatedBody));
    client.delete_file(&file.id).await.unwrap();
    // One that was never there is not.
    assert_eq!(client.detach("vs_none", "file-none").await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_wait_that_the_service_asks_for_is_kept() {
    let (service, client) = service_and_client().await;
    service.fail(Fault::always(status(429, ErrorBody::Json, &[Hint::RetryAfter(1)])).times(1));
    let begun = Instant::now();
    client.create_store(&StoreChange::default()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn one_refusal_of_uploads_holds_back_those_after_it() {
    let service = StandIn::start().await;
    let paced = crate::config::settings::OpenAiSettings { uploads_per_minute: 60_000, ..settings(&service) };
    let client = Client::with_patience(&paced, patience()).unwrap();
    service.fail(Fault::on("POST", "/files", Act::RateLimited { retry_after: Some(1) }).times(1));
    let begun = Instant::now();
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.upload(&upload("a.txt", "a")).await.unwrap() }
    });
    while service.log().first().is_none_or(|call| call.status.is_none()) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // The refusal is out; it reaches the client within a moment, and who comes after that waits too.
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.upload(&upload("b.txt", "b")).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    first.await.unwrap();
}

#[tokio::test]
async fn too_many_requests_halve_those_that_are_out_at_once() {
    let (service, client) = service_and_client().await;
    let places = client.0.limit.target();
    service.fail(Fault::always(Act::RateLimited { retry_after: None }).times(1));
    client.models().await.unwrap();
    assert_eq!(client.0.limit.target(), places / 2);
    let mut held = Vec::new();
    for _ in 0..places / 2 {
        held.push(client.permit().await);
    }
    assert!(tokio::time::timeout(Duration::from_millis(50), client.permit()).await.is_err());
    held.pop();
    tokio::time::timeout(Duration::from_secs(5), client.permit()).await.unwrap();
}

/// The documented rates are kept without a single refusal.
#[tokio::test]
async fn documented_rates_are_kept_without_a_refusal() {
    let service = StandIn::start_with(Rules::with_documented_rates()).await;
    let rates = crate::config::settings::OpenAiSettings {
        uploads_per_minute: 1000,
        store_writes_per_minute: 300,
        attached_per_minute: 2000,
        ..settings(&service)
    };
    let client = Client::with_patience(&rates, patience()).unwrap();
    let (store, file) = store_and_file(&client).await;
    let attachment =
        Attachment { file_id: file.id.clone(), attributes: Attributes::default(), chunking_strategy: None };
    // The first 300 go at once, the others as the bucket fills.
    for _ in 0..305 {
        client.attach(&store.id, &attachment).await.unwrap();
    }
    let answered: Vec<_> = service.log().into_iter().filter_map(|call| call.status).collect();
    assert!(!answered.contains(&429), "{answered:?}");
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_whatever_comes() {
    let quick = Patience { whole: Duration::from_millis(500), attempts: 1000, ..patience() };
    let (service, client) = service_and_client_with(Rules::default(), quick).await;
    service.fail(Fault::always(status(500, ErrorBody::Json, &[])));
    let begun = Instant::now();
    let error = call(&client, Sort::Read).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(error.kind, ErrorKind::Server);
    assert!(service.log().len() > 3);
}

//! Uploads, whole and in parts: what the service has in the end.

use std::path::Path;
use std::time::{Duration, Instant};

use openai_stand_in::{Act, Fault, Rules, StandIn};

use crate::openai::file::{Body, File, MAX_FILE_BYTES, Upload};
use crate::openai::piece::{Piece, Source};
use crate::openai::tests::{patience, service_and_client, service_and_client_with, upload};
use crate::openai::upload::upload_in_parts;
use crate::openai::{Client, ErrorKind, OpenAiError, Patience};

const PART: u64 = 100_000;

fn content() -> Vec<u8> {
    (0..950_000_u32).map(|number| b'a' + (number % 23) as u8).collect()
}

async fn piece(path: &Path) -> Piece {
    let bytes = std::fs::metadata(path).unwrap().len();
    let source = Source::of(&Body::Path { path: path.to_owned(), bytes }).await.unwrap();
    Piece::whole(source, "large.txt".to_owned(), "text/plain")
}

/// Uploads the content in ten parts.
async fn in_parts(client: &Client, folder: &Path) -> Result<File, OpenAiError> {
    let path = folder.join("large.txt");
    std::fs::write(&path, content()).unwrap();
    upload_in_parts(client, piece(&path).await, PART).await
}

fn requests(service: &StandIn, template: &str) -> usize {
    service.log().iter().filter(|call| call.template.ends_with(template)).count()
}

/// Waits until a request for this template came.
async fn arrives(service: &StandIn, template: &str) {
    let begun = Instant::now();
    while requests(service, template) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "no {template}: {:?}", service.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_file_goes_up_with_its_name_type_and_bytes() {
    let (service, client) = service_and_client().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    for text in ["", "Größe: 5 m²"] {
        std::fs::write(&path, text).unwrap();
        let body = Body::Path { path: path.clone(), bytes: text.len() as u64 };
        let sent = Upload { filename: "help.1a2b3c4d-0123456789ab.txt".to_owned(), mime_type: "text/plain", body };
        let file = client.upload(&sent).await.unwrap();
        assert_eq!((file.filename, file.bytes), (sent.filename, Some(text.len() as u64)));
        assert_eq!(service.content(&file.id).unwrap(), text.as_bytes());
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_any_request() {
    let (service, client) = service_and_client().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::File::create(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let body = Body::Path { path, bytes: MAX_FILE_BYTES + 1 };
    let error =
        client.upload(&Upload { filename: "a.txt".to_owned(), mime_type: "text/plain", body }).await.unwrap_err();
    assert_eq!((error.kind, error.may_be_done), (ErrorKind::Refused, false));
    assert!(service.log().is_empty());
}

#[tokio::test]
async fn a_reset_in_the_middle_of_an_upload_is_no_lost_answer() {
    let (service, client) = service_and_client_with(Rules { keep_bytes: false, ..Rules::default() }, patience()).await;
    service.fail(Fault::on("POST", "/files", Act::ResetMidBody).times(1));
    // More than the buffers on the way hold, so the rest of it cannot have left.
    let body = Body::Bytes(vec![b'a'; 48 * 1024 * 1024].into());
    let sent = Upload { filename: "a.txt".to_owned(), mime_type: "text/plain", body };
    client.upload(&sent).await.unwrap();
    assert_eq!((requests(&service, "/files"), service.state().files.len()), (2, 1));
}

#[tokio::test]
async fn parts_become_the_file_in_order_also_when_some_are_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    for fault in [None, Some(Act::LostAnswer), Some(Act::ResetBefore), Some(Act::RateLimited { retry_after: None })] {
        let (service, client) = service_and_client().await;
        if let Some(act) = fault {
            service.fail(Fault::on("POST", "/uploads/{id}/parts", act).times(2));
        }
        let file = in_parts(&client, folder.path()).await.unwrap();
        assert!(service.content(&file.id).unwrap() == content());
        // The stand-in counts a part twice that was sent twice, so what was begun is cancelled.
        assert_eq!(requests(&service, "/cancel"), requests(&service, "/uploads") - 1);
        assert_eq!(service.state().files.len(), 1);
    }
}

#[tokio::test]
async fn bytes_in_memory_go_in_parts_too() {
    let (service, client) = service_and_client().await;
    let source = Source::of(&Body::Bytes(content().into())).await.unwrap();
    let file = upload_in_parts(&client, Piece::whole(source, "a.txt".to_owned(), "text/plain"), PART).await.unwrap();
    assert!(service.content(&file.id).unwrap() == content());
}

#[tokio::test]
async fn an_upload_that_fails_is_cancelled_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (template, act, kind) in [
        ("/uploads/{id}/parts", Act::NoQuota, ErrorKind::NoQuota),
        ("/uploads/{id}/parts", Act::ResetBefore, ErrorKind::Connection),
        ("/uploads/{id}/complete", Act::NoQuota, ErrorKind::NoQuota),
    ] {
        let (service, client) = service_and_client().await;
        service.fail(Fault::on("POST", template, act));
        let error = in_parts(&client, folder.path()).await.unwrap_err();
        assert_eq!((error.kind, error.may_be_done), (kind, false), "{error}");
        assert_eq!((requests(&service, "/cancel"), service.state().files.len()), (1, 0));
    }
}

#[tokio::test]
async fn an_upload_that_nobody_waits_for_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let patient = Patience { head: Duration::from_mins(1), ..patience() };
    let (service, client) = service_and_client_with(Rules::default(), patient).await;
    service.fail(Fault::on("POST", "/uploads/{id}/parts", Act::Stall(Duration::from_mins(1))));
    tokio::select! {
        _ = in_parts(&client, folder.path()) => panic!("its parts are never answered"),
        () = arrives(&service, "/parts") => {}
    }
    arrives(&service, "/cancel").await;
}

#[tokio::test]
async fn a_lost_answer_to_the_completion_says_so_and_cancels_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (service, client) = service_and_client().await;
    service.fail(Fault::on("POST", "/uploads/{id}/complete", Act::LostAnswer));
    let error = in_parts(&client, folder.path()).await.unwrap_err();
    assert!(error.may_be_done, "{error}");
    assert_eq!((requests(&service, "/cancel"), service.state().files.len()), (0, 1));
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_becomes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.txt");
    std::fs::write(&path, content()).unwrap();
    let (service, client) =
        service_and_client_with(Rules { latency: Duration::from_millis(50), ..Rules::default() }, patience()).await;
    let piece = piece(&path).await;
    let (done, ()) = tokio::join!(upload_in_parts(&client, piece, PART), async {
        arrives(&service, "/parts").await;
        std::fs::write(&path, "something else").unwrap();
    });
    let error = done.unwrap_err();
    assert_eq!((error.kind, error.may_be_done), (ErrorKind::Refused, false), "{error}");
    assert!(error.message.contains("large.txt"), "{error}");
    assert_eq!((requests(&service, "/cancel"), service.state().files.len()), (1, 0));
}

#[tokio::test]
async fn a_body_of_another_length_than_said_is_refused() {
    let (service, client) = service_and_client().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "12345").unwrap();
    let body = Body::Path { path, bytes: 7 };
    let error =
        client.upload(&Upload { filename: "a.txt".to_owned(), mime_type: "text/plain", body }).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(service.log().is_empty());
    client.upload(&upload("a.txt", "12345")).await.unwrap();
}

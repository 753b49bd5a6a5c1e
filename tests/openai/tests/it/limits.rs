//! Limits of size and rate, and files that pass without being kept.

use std::time::Duration;

use openai_stand_in::{Rules, StandIn};
use serde_json::json;

use crate::client::{form, id, post, send, upload};

#[test]
fn files_and_parts_have_their_largest_size() {
    let to = StandIn::launch(Rules { max_file_bytes: 10, max_part_bytes: 5, ..Rules::default() }, 0);
    let purpose = [("purpose", "assistants")];
    assert_eq!(form(&to, "/files", &purpose, Some(("file", "a.md", &[b'x'; 10]))).status, 200);
    assert_eq!(form(&to, "/files", &purpose, Some(("file", "a.md", &[b'x'; 11]))).status, 413);
    let body = json!({"filename": "b.txt", "purpose": "assistants", "bytes": 20, "mime_type": "text/plain"});
    let parts = format!("/uploads/{}/parts", id(&post(&to, "/uploads", &body)));
    assert_eq!(form(&to, &parts, &[], Some(("data", "blob", &[b'x'; 5]))).status, 200);
    assert_eq!(form(&to, &parts, &[], Some(("data", "blob", &[b'x'; 6]))).status, 413);
}

#[test]
fn uploads_beyond_the_minute_wait_as_long_as_told() {
    let to = StandIn::launch(Rules { uploads_per_minute: Some(6), rate_headers: true, ..Rules::default() }, 0);
    let send = || form(&to, "/files", &[("purpose", "assistants")], Some(("file", "a.md", b"x")));
    let answers: Vec<_> = (0..10).map(|_| send()).collect();
    // A minute's worth and one for jitter; on a slow machine the next has come in meanwhile.
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((7..=8).contains(&passed), "{passed}");
    let refused = answers.iter().find(|answer| answer.status != 200).unwrap();
    assert_eq!(refused.refused(), (429, "rate_limit_exceeded".into()));
    assert_eq!(refused.header("x-ratelimit-limit-requests").as_deref(), Some("6"));
    assert_eq!(refused.header("x-ratelimit-remaining-requests").as_deref(), Some("0"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    to.pass(Duration::from_secs(wait));
    assert_eq!(send().status, 200);
}

#[test]
fn a_store_takes_so_many_writes_and_all_stores_so_many_files() {
    let rules = Rules { store_writes_per_minute: Some(3), attached_per_minute: Some(6), ..Rules::default() };
    let to = StandIn::launch(rules, 0);
    let files: Vec<String> = (0..6).map(|at| upload(&to, &format!("{at}.md"), b"x")).collect();
    let store = || id(&post(&to, "/vector_stores", &json!({})));
    let (one, other) = (store(), store());
    let attach = |store: &str, file: &str| {
        send(&to, "POST", &format!("/vector_stores/{store}/files"), Some(&json!({"file_id": file}))).status
    };
    let statuses: Vec<u16> = files.iter().map(|file| attach(&one, file)).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429]);
    let batch = json!({"file_ids": files});
    let batches = format!("/vector_stores/{other}/file_batches");
    assert_eq!(send(&to, "POST", &batches, Some(&batch)).status, 429, "four of six are attached already");
    to.pass(Duration::from_mins(1));
    assert_eq!(send(&to, "POST", &batches, Some(&batch)).status, 200);
}

#[test]
fn contents_are_hashed_and_forgotten_when_told_to() {
    let to = StandIn::launch(Rules { keep_bytes: false, ..Rules::default() }, 0);
    let file = upload(&to, "a.md", b"abc");
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(to.state().file(&file).unwrap().sha256, sum);
    assert_eq!(to.content(&file), None);
    let body = json!({"filename": "b.txt", "purpose": "assistants", "bytes": 3, "mime_type": "text/plain"});
    let upload = id(&post(&to, "/uploads", &body));
    let part =
        |bytes: &[u8]| id(&form(&to, &format!("/uploads/{upload}/parts"), &[], Some(("data", "blob", bytes))).json());
    let (c, ab) = (part(b"c"), part(b"ab"));
    // MD5 of `abc` (RFC 1321, A.5).
    let body = json!({"part_ids": [ab, c], "md5": "900150983cd24fb0d6963f7d28e17f72"});
    let done = post(&to, &format!("/uploads/{upload}/complete"), &body);
    assert_eq!(to.state().file(&id(&done["file"])).unwrap().sha256, sum);
}

//! Files, stores and batches: what is kept, listed, found and forgotten.

use std::time::Duration;

use openai_stand_in::{Rules, StandIn};
use serde_json::{Value, json};

use crate::client::{delete, form, get, id, post, send, started, store, upload};

fn names(page: &Value, field: &str) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|entry| entry[field].as_str().unwrap().to_owned()).collect()
}

#[test]
fn listings_are_walked_by_cursor_in_both_orders() {
    let to = started();
    assert_eq!(get(&to, "/files")["first_id"], Value::Null);
    let ids: Vec<String> = (0..5).map(|at| upload(&to, &format!("{at}.md"), b"x")).collect();
    let first = get(&to, "/files?order=asc&limit=2");
    assert_eq!((names(&first, "id"), &first["has_more"]), (ids[..2].to_vec(), &json!(true)));
    assert_eq!((&first["first_id"], &first["last_id"]), (&json!(ids[0]), &json!(ids[1])));
    let next = get(&to, &format!("/files?order=asc&limit=3&after={}", ids[1]));
    assert_eq!((names(&next, "id"), &next["has_more"]), (ids[2..].to_vec(), &json!(false)));
    assert_eq!(names(&get(&to, "/files"), "filename"), ["4.md", "3.md", "2.md", "1.md", "0.md"]);

    let stores: Vec<String> = (0..3).map(|_| id(&post(&to, "/vector_stores", &json!({})))).collect();
    let before = get(&to, &format!("/vector_stores?order=asc&limit=1&before={}", stores[2]));
    assert_eq!((names(&before, "id"), &before["has_more"]), (vec![stores[1].clone()], &json!(true)));
}

#[test]
fn files_end_as_the_service_would_end_them() {
    let to = started();
    let (store, ids) = store(&to, &[("good.md", "Grüße"), ("table.xlsx", "x"), ("empty.txt", "")]);
    let broken = upload(&to, "latin1.txt", b"Gr\xfc\xdfe");
    let utf16 = upload(&to, "utf16.txt", b"\xff\xfeh\x00i\x00");
    for file_id in [&broken, &utf16] {
        post(&to, &format!("/vector_stores/{store}/files"), &json!({"file_id": file_id}));
        get(&to, &format!("/vector_stores/{store}/files/{file_id}"));
    }
    let ended = |file_id: &str| {
        let file = get(&to, &format!("/vector_stores/{store}/files/{file_id}"));
        (file["status"].as_str().unwrap().to_owned(), file["last_error"]["code"].clone())
    };
    assert_eq!(ended(&ids[0]), ("completed".to_owned(), Value::Null));
    assert_eq!(ended(&ids[1]), ("failed".to_owned(), "unsupported_file".into()));
    assert_eq!(ended(&ids[2]), ("failed".to_owned(), "invalid_file".into()));
    assert_eq!(ended(&broken), ("failed".to_owned(), "invalid_file".into()));
    assert_eq!(ended(&utf16).0, "completed");
    let shown = get(&to, &format!("/vector_stores/{store}"));
    assert_eq!(
        shown["file_counts"],
        json!({"in_progress": 0, "completed": 2, "failed": 3, "cancelled": 0, "total": 5})
    );
    assert_eq!(shown["usage_bytes"], 7 + 6);
    let failed = get(&to, &format!("/vector_stores/{store}/files?filter=failed&order=asc"));
    assert_eq!(names(&failed, "id"), [ids[1].clone(), ids[2].clone(), broken]);
}

#[test]
fn attaching_twice_keeps_one_entry_and_detaching_keeps_the_file() {
    let to = started();
    let (store, ids) = store(&to, &[("a.md", "one two")]);
    let files = format!("/vector_stores/{store}/files");
    post(&to, &files, &json!({"file_id": ids[0], "attributes": {"path": "b.md"}}));
    let listed = get(&to, &files);
    assert_eq!(names(&listed, "id"), ids);
    assert_eq!(listed["data"][0]["attributes"], json!({"path": "b.md"}));
    delete(&to, &format!("{files}/{}", ids[0]));
    assert_eq!(names(&get(&to, &files), "id"), Vec::<String>::new());
    assert_eq!(get(&to, &format!("/files/{}", ids[0]))["filename"], "a.md");
    assert_eq!(to.state().orphans(), [ids[0].as_str()]);
}

#[test]
fn deleting_a_file_takes_it_out_of_stores_and_deleting_a_store_keeps_files() {
    let to = started();
    let (store, ids) = store(&to, &[("a.md", "one"), ("b.md", "two")]);
    delete(&to, &format!("/files/{}", ids[0]));
    assert_eq!(names(&get(&to, &format!("/vector_stores/{store}/files")), "id"), [ids[1].clone()]);
    delete(&to, &format!("/vector_stores/{store}"));
    assert_eq!(send(&to, "GET", &format!("/vector_stores/{store}"), None).status, 404);
    assert_eq!(names(&get(&to, "/files"), "filename"), ["b.md"]);
    assert_eq!(to.content(&ids[1]).as_deref(), Some(b"two".as_slice()));
}

#[test]
fn a_deleted_file_stays_listed_while_deletes_lag() {
    let to = StandIn::launch(Rules { delete_lag: Duration::from_mins(1), ..Rules::default() }, 0);
    let (store, ids) = store(&to, &[("a.md", "one")]);
    delete(&to, &format!("/files/{}", ids[0]));
    let files = format!("/vector_stores/{store}/files");
    assert_eq!(send(&to, "GET", &format!("/files/{}", ids[0]), None).status, 404);
    assert_eq!((names(&get(&to, &files), "id"), names(&get(&to, "/files"), "id")), (ids.clone(), ids));
    assert!(to.state().files.is_empty() && to.store_documents(&store).is_empty());
    to.pass(Duration::from_secs(61));
    assert_eq!(get(&to, &files)["data"], json!([]));
    assert_eq!(get(&to, "/files")["data"], json!([]));
}

#[test]
fn ingestion_takes_its_time_and_a_batch_can_be_cancelled() {
    let to = StandIn::launch(Rules { ingestion: Duration::from_mins(1), ..Rules::default() }, 0);
    let store = id(&post(&to, "/vector_stores", &json!({})));
    let files = [upload(&to, "a.md", b"one"), upload(&to, "b.md", b"two")];
    let batches = format!("/vector_stores/{store}/file_batches");
    let first = id(&post(&to, &batches, &json!({"file_ids": [files[0]], "attributes": {"path": "a.md"}})));
    let second = id(&post(&to, &batches, &json!({"file_ids": [files[1]]})));
    assert_eq!(get(&to, &format!("{batches}/{first}"))["status"], "in_progress");
    assert_eq!(post(&to, &format!("{batches}/{second}/cancel"), &json!({}))["status"], "cancelled");
    to.pass(Duration::from_secs(61));
    assert_eq!(get(&to, &format!("{batches}/{first}"))["status"], "completed");
    let listed = get(&to, &format!("{batches}/{second}/files"));
    assert_eq!(listed["data"][0]["status"], "cancelled");
    let documents = to.store_documents(&store);
    assert_eq!(documents.keys().collect::<Vec<_>>(), ["a.md"]);
    assert_eq!(documents["a.md"], to.state().file(&files[0]).unwrap().sha256);
}

#[test]
fn uploads_are_joined_in_the_order_given_and_checked() {
    let to = started();
    let body = json!({"filename": "big.txt", "purpose": "assistants", "bytes": 6, "mime_type": "text/plain"});
    let upload = id(&post(&to, "/uploads", &body));
    let part = |bytes: &[u8]| form(&to, &format!("/uploads/{upload}/parts"), &[], Some(("data", "blob", bytes)));
    let (abc, def) = (id(&part(b"abc").json()), id(&part(b"def").json()));
    assert_eq!(part(b"g").refused(), (400, "invalid_value".into()));
    let complete = |ids: &[&str], md5: &str| {
        send(&to, "POST", &format!("/uploads/{upload}/complete"), Some(&json!({"part_ids": ids, "md5": md5})))
    };
    let in_order = "e80b5017098950fc58aad83c8c14978e";
    let doubled = "440ac85892ca43ad26d44c7ad9d47d3e";
    let turned = "3d43648e11815c5ded9f8578896ba454";
    assert_eq!(complete(&[&abc], in_order).refused(), (400, "invalid_value".into()), "bytes are missing");
    assert_eq!(complete(&[&abc, &abc], doubled).refused(), (400, "invalid_value".into()), "a part twice");
    assert_eq!(complete(&[&def, &abc], in_order).refused(), (400, "invalid_value".into()), "another order");
    let done = complete(&[&def, &abc], turned);
    assert_eq!(complete(&[&def, &abc], turned).refused(), (400, "invalid_value".into()), "done already");
    let done = done.json();
    assert_eq!((&done["status"], &done["file"]["filename"]), (&json!("completed"), &json!("big.txt")));
    assert_eq!(to.content(&id(&done["file"])).as_deref(), Some(b"defabc".as_slice()));
}

/// Names come with folders, quotes and letters of all kinds; only the last part of them is kept.
#[test]
fn file_names_are_kept_without_their_folders() {
    let to = started();
    let purpose = [("purpose", "assistants")];
    for (sent, kept) in [("a/b/Größe 1.md", "Größe 1.md"), ("C:\\x\\y.md", "y.md"), ("..", "..")] {
        let answer = form(&to, "/files", &purpose, Some(("file", sent, b"x")));
        assert_eq!(answer.json()["filename"], kept, "{}", answer.text());
    }
    assert_eq!(form(&to, "/files", &purpose, Some(("file", "a/", b"x"))).refused(), (400, "invalid_value".into()));
}

#[test]
fn an_upload_ends_after_an_hour() {
    let to = started();
    let body = json!({"filename": "big.txt", "purpose": "assistants", "bytes": 3, "mime_type": "text/plain"});
    let upload = id(&post(&to, "/uploads", &body));
    to.pass(Duration::from_secs(3_601));
    let part = form(&to, &format!("/uploads/{upload}/parts"), &[], Some(("data", "blob", b"abc")));
    assert_eq!(part.refused(), (400, "invalid_value".into()));
}

#[test]
fn files_and_stores_expire_when_told_to() {
    let to = started();
    let fields =
        [("purpose", "assistants"), ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "3600")];
    let file = form(&to, "/files", &fields, Some(("file", "a.md", b"x"))).json();
    let store = post(&to, "/vector_stores", &json!({"expires_after": {"anchor": "last_active_at", "days": 1}}));
    to.pass(Duration::from_secs(86_401));
    assert_eq!(send(&to, "GET", &format!("/files/{}", id(&file)), None).status, 404);
    let path = format!("/vector_stores/{}", id(&store));
    assert_eq!(get(&to, &path)["status"], "expired");
    assert_eq!(send(&to, "POST", &format!("{path}/search"), Some(&json!({"query": "x"}))).status, 400);
}

#[test]
fn search_ranks_filters_and_cuts_off() {
    let to = started();
    let files =
        [("returns.md", "Goods are returned within thirty days."), ("ship.md", "Goods are shipped within two days.")];
    let (store, _) = store(&to, &files);
    let search = |body: Value| names(&post(&to, &format!("/vector_stores/{store}/search"), &body), "filename");
    assert_eq!(search(json!({"query": "thirty days"})), ["returns.md", "ship.md"]);
    assert_eq!(search(json!({"query": "thirty days", "max_num_results": 1})), ["returns.md"]);
    assert_eq!(search(json!({"query": "thirty days", "ranking_options": {"score_threshold": 0.9}})), ["returns.md"]);
    let path = |kind: &str, value: Value| json!({"type": kind, "key": "path", "value": value});
    let filtered = |filter: Value| search(json!({"query": "days", "filters": filter}));
    assert_eq!(filtered(path("eq", "ship.md".into())), ["ship.md"]);
    assert_eq!(filtered(path("nin", json!(["ship.md"]))), ["returns.md"]);
    assert_eq!(filtered(json!({"type": "gt", "key": "len", "value": 7})), ["returns.md"]);
    let both = json!({"type": "and", "filters": [path("ne", "ship.md".into()), path("eq", "ship.md".into())]});
    assert_eq!(filtered(both), Vec::<String>::new());
    assert_eq!(search(json!({"query": "unheard"})), Vec::<String>::new());
}

/// Text without a single space is cut into windows in one pass, not read again for each of them.
#[test]
fn long_words_do_not_make_search_slow() {
    let to = started();
    let (store, _) = store(&to, &[("word.txt", &"ä".repeat(1_000_000)), ("a.md", "short words")]);
    let begun = std::time::Instant::now();
    let found = post(&to, &format!("/vector_stores/{store}/search"), &json!({"query": "short"}));
    assert_eq!(names(&found, "filename"), ["a.md"]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

//! Attachments: announced, uploaded, taken by one message, and bounded.

use jiff::Timestamp;

use super::{begin, on_every_backend, principal, thread_with, user_item};
use crate::clock::{IdSource as _, RandomIds};
use crate::model::attachment::{Attachment, AttachmentKind, AttachmentUsage};
use crate::model::thread::{ItemContent, ThreadItem};
use crate::store::StoreError;

const WIDE: AttachmentUsage = AttachmentUsage { of_principal: u64::MAX, in_all: u64::MAX };

fn announced(size_bytes: u64) -> Attachment {
    Attachment {
        id: RandomIds.new_id("atc"),
        name: "scan \u{0} of a receipt ✅.png".to_owned(),
        mime_type: "image/png".to_owned(),
        size_bytes,
        kind: AttachmentKind::Image,
        sha256: None,
        thread_id: None,
        created_at: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
    }
}

fn uploaded(attachment: &Attachment, sha256: &str) -> Attachment {
    Attachment { sha256: Some(sha256.to_owned()), ..attachment.clone() }
}

fn message_with(thread_id: &str, attachments: &[&Attachment]) -> ThreadItem {
    let mut item = user_item(thread_id, "see the attachment");
    if let ItemContent::UserMessage(message) = &mut item.content {
        message.attachments = attachments.iter().map(|&each| each.clone()).collect();
    }
    item
}

#[tokio::test]
async fn an_attachment_is_uploaded_once_and_taken_once() {
    on_every_backend(async |store| {
        let who = principal("a");
        let attachment = announced(10);
        store.add_attachment(&who, &attachment, &WIDE).await.unwrap();
        assert_eq!(store.attachment(&who, &attachment.id).await.unwrap(), attachment);
        let (thread, _) = begin(store, &who, "q").await;
        let early = store.add_item(&who, &message_with(&thread.id, &[&attachment])).await;
        assert!(matches!(early, Err(StoreError::AttachmentState(..))), "{early:?}");
        assert_eq!(store.recent(&who, &thread.id, 10).await.unwrap().len(), 1, "the message is undone with it");

        let whole = Attachment {
            size_bytes: 12,
            mime_type: "text/plain".to_owned(),
            kind: AttachmentKind::File,
            ..uploaded(&attachment, "aa")
        };
        store.finish_upload(&who, &whole, &WIDE).await.unwrap();
        assert_eq!(store.attachment(&who, &attachment.id).await.unwrap(), whole);
        let again = store.finish_upload(&who, &uploaded(&attachment, "bb"), &WIDE).await;
        assert!(matches!(again, Err(StoreError::AttachmentState(..))));

        let message = message_with(&thread.id, &[&whole]);
        store.add_item(&who, &message).await.unwrap();
        assert_eq!(store.item(&who, &thread.id, &message.id).await.unwrap(), message);
        let taken = Attachment { thread_id: Some(thread.id.clone()), ..whole.clone() };
        assert_eq!(store.attachment(&who, &attachment.id).await.unwrap(), taken);
        assert_eq!(store.thread_attachments(&who, &thread.id).await.unwrap(), [taken]);
        let twice = store.add_item(&who, &message_with(&thread.id, &[&whole])).await;
        assert!(matches!(twice, Err(StoreError::AttachmentState(..))));
        let kept = store.delete_attachment(&who, &attachment.id).await;
        assert!(matches!(kept, Err(StoreError::AttachmentState(..))));

        store.delete_thread(&who, &thread.id).await.unwrap();
        assert!(matches!(store.attachment(&who, &attachment.id).await, Err(StoreError::NoSuchAttachment)));
        assert_eq!(store.unnamed_bytes(&["aa".to_owned()]).await.unwrap(), ["aa"], "its bytes are nobody's now");
    })
    .await;
}

#[tokio::test]
async fn a_first_message_takes_attachments_or_there_is_no_thread() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (good, missing) = (announced(1), announced(1));
        store.add_attachment(&who, &good, &WIDE).await.unwrap();
        store.finish_upload(&who, &uploaded(&good, "aa"), &WIDE).await.unwrap();
        let (thread, _) = thread_with("q");
        let refused = store.create_thread(&who, &thread, &message_with(&thread.id, &[&good, &missing])).await;
        assert!(matches!(refused, Err(StoreError::NoSuchAttachment)));
        assert!(matches!(store.thread(&who, &thread.id).await, Err(StoreError::NoSuchThread)));
        assert_eq!(store.attachment(&who, &good.id).await.unwrap().thread_id, None, "all or nothing");
        store.create_thread(&who, &thread, &message_with(&thread.id, &[&good])).await.unwrap();
        assert_eq!(store.thread_attachments(&who, &thread.id).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn attachments_stay_within_their_bounds() {
    on_every_backend(async |store| {
        let (who, other) = (principal("a"), principal("b"));
        let bounds = AttachmentUsage { of_principal: 100, in_all: 150 };
        let full = |result: &Result<(), StoreError>| matches!(result, Err(StoreError::AttachmentsFull(_)));
        let first = announced(60);
        store.add_attachment(&who, &first, &bounds).await.unwrap();
        assert!(full(&store.add_attachment(&who, &announced(41), &bounds).await));
        store.add_attachment(&who, &announced(40), &bounds).await.unwrap();
        // What is announced takes nothing from others; what is uploaded does, whenever it was announced.
        let late = announced(100);
        store.add_attachment(&other, &late, &bounds).await.unwrap();
        store.delete_attachment(&other, &late.id).await.unwrap();
        let third = principal("c");
        store.add_attachment(&third, &late, &bounds).await.unwrap();
        store.add_attachment(&other, &uploaded(&announced(60), "cc"), &bounds).await.unwrap();
        assert!(full(&store.add_attachment(&principal("d"), &announced(91), &bounds).await));
        assert!(full(&store.finish_upload(&third, &uploaded(&late, "dd"), &bounds).await));
        let larger = Attachment { size_bytes: 61, ..uploaded(&first, "aa") };
        assert!(full(&store.finish_upload(&who, &larger, &bounds).await), "an upload may be larger than announced");
        assert_eq!(store.attachment(&who, &first.id).await.unwrap(), first);
        let smaller = Attachment { size_bytes: 59, ..uploaded(&first, "aa") };
        store.finish_upload(&who, &smaller, &bounds).await.unwrap();
        store.add_attachment(&who, &announced(1), &bounds).await.unwrap();
        let immense = store.add_attachment(&who, &announced(u64::MAX), &bounds).await;
        assert!(full(&immense), "no number overflows");
    })
    .await;
}

/// What is checked and what is written are one step: many at once do not get past a bound together.
#[tokio::test]
async fn many_at_once_stay_within_the_bound() {
    on_every_backend(async |store| {
        let who = principal("a");
        let bounds = AttachmentUsage { of_principal: 100, in_all: 1000 };
        let attachments: Vec<Attachment> = (0..40).map(|_| announced(10)).collect();
        let adding = attachments.iter().map(|attachment| store.add_attachment(&who, attachment, &bounds));
        let added = futures_util::future::join_all(adding).await;
        assert_eq!(added.iter().filter(|result| result.is_ok()).count(), 10);
    })
    .await;
}

#[tokio::test]
async fn what_no_message_took_expires() {
    on_every_backend(async |store| {
        let who = principal("a");
        let at = |us| Timestamp::from_microsecond(us).unwrap();
        let (old, new, taken) =
            ([1_000, 3_000, 1_000]).map(|us| Attachment { created_at: at(us), ..announced(1) }).into();
        for attachment in [&old, &new, &taken] {
            store.add_attachment(&who, attachment, &WIDE).await.unwrap();
        }
        let whole = uploaded(&taken, "aa");
        store.finish_upload(&who, &whole, &WIDE).await.unwrap();
        let (thread, _) = begin(store, &who, "q").await;
        store.add_item(&who, &message_with(&thread.id, &[&whole])).await.unwrap();
        assert_eq!(store.expire_attachments(at(3_000)).await.unwrap(), 1);
        assert_eq!(store.expire_attachments(at(3_000)).await.unwrap(), 0);
        assert!(matches!(store.attachment(&who, &old.id).await, Err(StoreError::NoSuchAttachment)));
        assert_eq!(store.attachment(&who, &new.id).await.unwrap(), new);
        assert_eq!(store.delete_attachment(&who, &new.id).await.unwrap(), new);
        assert!(matches!(store.delete_attachment(&who, &new.id).await, Err(StoreError::NoSuchAttachment)));
        let asked = ["aa", "bb"].map(str::to_owned);
        assert_eq!(store.unnamed_bytes(&asked).await.unwrap(), ["bb"]);
    })
    .await;
}

/// A15: another's attachment is an unknown one, and no message of mine takes it.
#[tokio::test]
async fn nobody_takes_anothers_attachment() {
    on_every_backend(async |store| {
        let (owner, other) = (principal("owner"), principal("other"));
        let attachment = announced(1);
        store.add_attachment(&owner, &attachment, &WIDE).await.unwrap();
        let whole = uploaded(&attachment, "aa");
        let (mine, _) = begin(store, &other, "q").await;
        let refused = [
            store.attachment(&other, &attachment.id).await.map(drop),
            store.finish_upload(&other, &whole, &WIDE).await,
            store.delete_attachment(&other, &attachment.id).await.map(drop),
            store.add_item(&other, &message_with(&mine.id, &[&attachment])).await,
        ];
        for (place, result) in refused.into_iter().enumerate() {
            assert!(matches!(result, Err(StoreError::NoSuchAttachment)), "operation {place}: {result:?}");
        }
        store.finish_upload(&owner, &whole, &WIDE).await.unwrap();
        let refused = store.add_item(&other, &message_with(&mine.id, &[&whole])).await;
        assert!(matches!(refused, Err(StoreError::NoSuchAttachment)), "{refused:?}");
        assert_eq!(store.recent(&other, &mine.id, 10).await.unwrap().len(), 1);
    })
    .await;
}

//! Pages: whole, in order, and never past what a visitor may see.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use super::{answer_item, begin, fresh, item, on_every_backend, principal, user_item};
use crate::model::item::HiddenContext;
use crate::model::thread::{ItemContent, Order, Page, PageQuery, Principal};
use crate::store::{BACKENDS, Store, StoreError};

#[test]
fn walking_pages_yields_every_row_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let steps = proptest::collection::vec((0..4_u8, any::<prop::sample::Index>()), 0..40);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    runner
        .run(&(steps, 1..7_u32), |(steps, limit)| {
            runtime.block_on(async {
                let folder = tempfile::tempdir().unwrap();
                for backend in BACKENDS {
                    let store = fresh(backend, folder.path()).await;
                    walk_after(store.as_ref(), &steps, limit).await;
                }
            });
            Ok(())
        })
        .unwrap();
}

/// Random inserts, retries and deletions; then every list in both orders, page by page, is exactly what is there.
async fn walk_after(store: &dyn Store, steps: &[(u8, prop::sample::Index)], limit: u32) {
    let who = principal("a");
    let mut threads: Vec<(String, Vec<String>)> = Vec::new();
    for (step, which) in steps {
        if *step == 0 || threads.is_empty() {
            let (thread, first) = begin(store, &who, "q").await;
            threads.push((thread.id, vec![first.id]));
            continue;
        }
        let place = which.index(threads.len());
        let (thread_id, items) = &mut threads[place];
        match step {
            1 => {
                let item = user_item(thread_id, "q");
                store.add_item(&who, &item).await.unwrap();
                items.push(item.id);
            }
            2 => {
                let kept = which.index(items.len());
                store.rewind(&who, thread_id, &items[kept]).await.unwrap();
                items.truncate(kept + 1);
            }
            _ => {
                store.delete_thread(&who, thread_id).await.unwrap();
                threads.remove(place);
            }
        }
    }
    let thread_ids: Vec<String> = threads.iter().map(|(id, _)| id.clone()).collect();
    for order in [Order::Asc, Order::Desc] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = store.threads(&who, &PageQuery::new(Some(limit), order, after)).await.unwrap();
            check_page(&page, limit);
            seen.extend(page.data.into_iter().map(|thread| thread.id));
            after = page.after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, in_order(&thread_ids, order));
        for (thread_id, items) in &threads {
            assert_eq!(walk_items(store, &who, thread_id, limit, order).await, in_order(items, order));
        }
    }
}

async fn walk_items(store: &dyn Store, who: &Principal, thread_id: &str, limit: u32, order: Order) -> Vec<String> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.items(who, thread_id, &PageQuery::new(Some(limit), order, after)).await.unwrap();
        check_page(&page, limit);
        seen.extend(page.data.into_iter().map(|item| item.id));
        after = page.after;
        if after.is_none() {
            return seen;
        }
    }
}

fn check_page<T>(page: &Page<T>, limit: u32) {
    assert!(page.data.len() <= limit as usize);
    assert_eq!(page.has_more, page.after.is_some());
    assert!(!page.has_more || page.data.len() == limit as usize, "a page with more behind it is full");
}

fn in_order(ids: &[String], order: Order) -> Vec<String> {
    let mut ids = ids.to_vec();
    if order == Order::Desc {
        ids.reverse();
    }
    ids
}

#[tokio::test]
async fn cursors_and_heavy_items() {
    on_every_backend(cursors_belong_to_their_list).await;
    on_every_backend(heavy_items_make_short_pages).await;
}

/// A15: another's cursor moves nothing, and neither does one of a row that is gone.
async fn cursors_belong_to_their_list(store: &dyn Store) {
    let (who, other) = (principal("cursor"), principal("other cursor"));
    let (thread, question) = begin(store, &who, "q").await;
    let (_, elsewhere) = begin(store, &who, "q").await;
    let (foreign, _) = begin(store, &other, "q").await;
    let after = |id: &str| PageQuery::new(None, Order::Desc, Some(id.to_owned()));
    for cursor in ["", "thr_unknown", &foreign.id, &question.id] {
        let result = store.threads(&who, &after(cursor)).await;
        assert!(matches!(result, Err(StoreError::NoSuchCursor)), "{cursor}");
    }
    for cursor in ["", "msg_unknown", &elsewhere.id, &thread.id] {
        let result = store.items(&who, &thread.id, &after(cursor)).await;
        assert!(matches!(result, Err(StoreError::NoSuchCursor)), "{cursor}");
    }
}

async fn heavy_items_make_short_pages(store: &dyn Store) {
    const MEGABYTE: usize = 1024 * 1024;
    let who = principal("heavy");
    let (thread, _) = begin(store, &who, "q").await;
    for megabytes in [1, 3, 1, 1] {
        store.add_item(&who, &answer_item(&thread.id, &"x".repeat(megabytes * MEGABYTE))).await.unwrap();
    }
    for order in [Order::Asc, Order::Desc] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.items(&who, &thread.id, &PageQuery::new(None, order, after)).await.unwrap();
            let bytes: usize = page.data.iter().map(|item| serde_json::to_vec(&item.content).unwrap().len()).sum();
            assert!(page.data.len() == 1 || bytes < 2 * MEGABYTE + 1, "{order:?}: {bytes}");
            assert_eq!(page.has_more, page.after.is_some());
            seen.extend(page.data.into_iter().map(|item| item.id));
            after = page.after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 5, "{order:?}");
        assert_eq!(seen.len(), 5, "{order:?}");
    }
}

/// Hidden items are left out by the query, so that no page is shorter for them and none says that more follow.
#[tokio::test]
async fn hidden_items_are_on_no_page_of_any_size() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, question) = begin(store, &who, "q").await;
        let mut seen = vec![question.id];
        let mut all = seen.clone();
        for number in 0..11 {
            let hidden = HiddenContext { content: json!({ "number": number }) };
            let next = match number % 4 {
                0 => item(&thread.id, ItemContent::HiddenContextItem(hidden)),
                1 => item(&thread.id, ItemContent::SdkHiddenContext(hidden)),
                _ => answer_item(&thread.id, "a"),
            };
            store.add_item(&who, &next).await.unwrap();
            all.push(next.id.clone());
            if !next.content.is_hidden() {
                seen.push(next.id);
            }
        }
        assert_eq!((seen.len(), all.len()), (6, 12));
        for order in [Order::Asc, Order::Desc] {
            for limit in 1..=13 {
                assert_eq!(walk_items(store, &who, &thread.id, limit, order).await, in_order(&seen, order), "{limit}");
            }
        }
        let recent = store.recent(&who, &thread.id, 100).await.unwrap();
        let recent: Vec<String> = recent.into_iter().map(|item| item.id).collect();
        assert_eq!(recent, in_order(&all, Order::Desc), "the model sees all of them");
        let page = PageQuery::new(Some(1), Order::Desc, Some(all[9].clone()));
        let after_hidden = store.items(&who, &thread.id, &page).await.unwrap();
        assert_eq!(after_hidden.data[0].id, all[8], "a hidden item's place is a place");
    })
    .await;
}

/// The cursor of a row that was deleted says so; it does not begin the list again.
#[tokio::test]
async fn cursors_of_what_is_gone_are_refused() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, _) = begin(store, &who, "q").await;
        let (gone, _) = begin(store, &who, "q").await;
        let item = answer_item(&thread.id, "a");
        store.add_item(&who, &item).await.unwrap();
        store.remove_item(&who, &thread.id, &item.id).await.unwrap();
        store.delete_thread(&who, &gone.id).await.unwrap();
        for order in [Order::Asc, Order::Desc] {
            let result = store.items(&who, &thread.id, &PageQuery::new(None, order, Some(item.id.clone()))).await;
            assert!(matches!(result, Err(StoreError::NoSuchCursor)), "{result:?}");
            let result = store.threads(&who, &PageQuery::new(None, order, Some(gone.id.clone()))).await;
            assert!(matches!(result, Err(StoreError::NoSuchCursor)), "{result:?}");
        }
    })
    .await;
}

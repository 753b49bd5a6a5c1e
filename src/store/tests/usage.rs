//! What answers took, kept and summed up.

use jiff::Timestamp;
use jiff::civil::date;

use super::{answer_item, begin, on_every_backend, principal};
use crate::model::usage::{Grouping, Price, Usage, UsageQuery, UsageRow, UsageSum};
use crate::store::StoreError;

fn row(thread_id: &str, at: &str, model: &str, nano_dollars: Option<u64>) -> UsageRow {
    UsageRow {
        item_id: None,
        thread_id: thread_id.to_owned(),
        answered_at: at.parse().unwrap(),
        outcome: "done",
        usage: Usage {
            model: model.to_owned(),
            requests: 2,
            input_tokens: 100,
            cached_tokens: 10,
            cache_write_tokens: 5,
            output_tokens: 20,
            reasoning_tokens: 8,
            searches: 1,
        },
        price: nano_dollars.map(|nano_dollars| Price { nano_dollars, priced_on: date(2026, 11, 22) }),
    }
}

fn by(grouping: Grouping) -> UsageQuery {
    UsageQuery { by: grouping, since: None, until: None }
}

fn told(sums: &[UsageSum]) -> Vec<(Option<&str>, u64, u64)> {
    sums.iter().map(|sum| (sum.key.as_deref(), sum.answers, sum.nano_dollars)).collect()
}

#[tokio::test]
async fn answers_are_summed_up_by_day_thread_and_model() {
    on_every_backend(async |store| {
        assert_eq!(store.usage(&by(Grouping::Day)).await.unwrap(), []);
        let (one, _) = begin(store, &principal("a"), "q").await;
        let (other, _) = begin(store, &principal("b"), "q").await;
        for used in [
            row(&one.id, "2026-11-23T23:59:59.999999Z", "m", Some(5)),
            row(&one.id, "2026-11-24T00:00:00Z", "m", Some(7)),
            row(&other.id, "2026-11-24T12:00:00Z", "n", None),
        ] {
            store.add_usage(&used).await.unwrap();
        }
        let days = store.usage(&by(Grouping::Day)).await.unwrap();
        assert_eq!(told(&days), [(Some("2026-11-23"), 1, 5), (Some("2026-11-24"), 2, 7)]);
        let second = &days[1];
        assert_eq!((second.unpriced, second.requests, second.input_tokens, second.cached_tokens), (1, 4, 200, 20));
        assert_eq!((second.cache_write_tokens, second.output_tokens, second.reasoning_tokens), (10, 40, 16));
        assert_eq!((second.searches, second.priced_on), (2, Some((date(2026, 11, 22), date(2026, 11, 22)))));
        let threads = store.usage(&by(Grouping::Thread)).await.unwrap();
        assert_eq!(told(&threads), [(Some(one.id.as_str()), 2, 12), (Some(other.id.as_str()), 1, 0)]);
        let models = store.usage(&by(Grouping::Model)).await.unwrap();
        assert_eq!(told(&models), [(Some("m"), 2, 12), (Some("n"), 1, 0)]);
        assert_eq!(UsageSum::total(&models), UsageSum::total(&days));
        let bound = |time: &str| Some(time.parse::<Timestamp>().unwrap());
        let since = UsageQuery { since: bound("2026-11-24T00:00:00Z"), ..by(Grouping::Model) };
        assert_eq!(told(&store.usage(&since).await.unwrap()), [(Some("m"), 1, 7), (Some("n"), 1, 0)]);
        let until = UsageQuery { until: bound("2026-11-24T00:00:00Z"), ..by(Grouping::Model) };
        assert_eq!(told(&store.usage(&until).await.unwrap()), [(Some("m"), 1, 5)]);
    })
    .await;
}

/// An answer and its figures are written together, or neither is.
#[tokio::test]
async fn an_answer_is_kept_with_what_it_took() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, _) = begin(store, &who, "q").await;
        let item = answer_item(&thread.id, "a");
        let used = UsageRow { item_id: Some(item.id.clone()), ..row(&thread.id, "2026-11-24T00:00:00Z", "m", Some(5)) };
        let refused = store.add_answer(&principal("other"), &item, &used).await;
        assert!(matches!(refused, Err(StoreError::NoSuchThread)));
        assert_eq!(store.usage(&by(Grouping::Day)).await.unwrap(), []);
        store.add_answer(&who, &item, &used).await.unwrap();
        assert_eq!(store.item(&who, &thread.id, &item.id).await.unwrap(), item);
        // Told twice, it counts once.
        store.add_usage(&used).await.unwrap();
        assert_eq!(told(&store.usage(&by(Grouping::Day)).await.unwrap()), [(Some("2026-11-24"), 1, 5)]);
    })
    .await;
}

/// P: a thread that is deleted leaves what it cost, and nothing that leads to it or to its moment.
#[tokio::test]
async fn a_deleted_thread_leaves_its_cost_and_no_link() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, _) = begin(store, &who, "q").await;
        let used = row(&thread.id, "2026-11-24T13:14:15Z", "m", Some(5));
        store.add_usage(&used).await.unwrap();
        assert!(store.delete_thread(&principal("other"), &thread.id).await.is_err());
        assert_eq!(told(&store.usage(&by(Grouping::Thread)).await.unwrap()), [(Some(thread.id.as_str()), 1, 5)]);
        store.delete_thread(&who, &thread.id).await.unwrap();
        // One that ends after its thread did leaves no more.
        store.add_usage(&used).await.unwrap();
        assert_eq!(told(&store.usage(&by(Grouping::Thread)).await.unwrap()), [(None, 2, 10)]);
        let in_the_day = UsageQuery { since: Some("2026-11-24T00:00:01Z".parse().unwrap()), ..by(Grouping::Day) };
        assert_eq!(store.usage(&in_the_day).await.unwrap(), [], "the time of day is gone");
        assert_eq!(told(&store.usage(&by(Grouping::Day)).await.unwrap()), [(Some("2026-11-24"), 2, 10)]);
    })
    .await;
}

/// A server that counts nonsense makes no sum fail.
#[tokio::test]
async fn absurd_figures_are_kept_as_far_as_they_can_be() {
    on_every_backend(async |store| {
        let (thread, _) = begin(store, &principal("a"), "q").await;
        for _ in 0..2 {
            let mut used = row(&thread.id, "2026-11-24T00:00:00Z", "m", Some(u64::MAX));
            used.usage.input_tokens = u64::MAX;
            used.usage.requests = u32::MAX;
            store.add_usage(&used).await.unwrap();
        }
        let sums = store.usage(&by(Grouping::Day)).await.unwrap();
        assert_eq!((sums[0].input_tokens, sums[0].answers), (u64::MAX >> 1, 2));
        assert_eq!(UsageSum::total(&[sums[0].clone(), sums[0].clone()]).answers, 4);
    })
    .await;
}

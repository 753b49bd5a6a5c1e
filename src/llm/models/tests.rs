//! What is known about models, what it makes of figures, and what is wrong with a file.

use std::fs;

use jiff::civil::date;

use super::*;
use crate::model::usage::Usage;

fn with(text: &str) -> Result<ModelCatalogue, ModelsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("models.yaml");
    fs::write(&path, text).unwrap();
    ModelCatalogue::load(Some(&path))
}

fn usage(model: &str, input_tokens: u64, output_tokens: u64) -> Usage {
    Usage { model: model.to_owned(), requests: 1, input_tokens, output_tokens, ..Usage::default() }
}

fn nanos(catalogue: &ModelCatalogue, usage: &Usage) -> Option<u64> {
    catalogue.cost(usage).map(|cost| cost.nano_dollars)
}

#[test]
fn the_built_in_file_is_whole() {
    let catalogue = ModelCatalogue::built_in();
    assert_eq!(catalogue.storage.usd_per_gib_day.micros(), 100_000);
    assert_eq!((catalogue.storage.free_gib, catalogue.file_search_usd_per_1000.micros()), (1, 2_500_000));
    let default = catalogue.facts("gpt-6-luna").expect("the default model is known");
    assert!(default.shutdown.is_none() && default.manner.reasons && default.prices.is_some());
    for facts in catalogue.models.values() {
        let Some(other) = &facts.replacement else { continue };
        let other =
            catalogue.facts(other).unwrap_or_else(|| panic!("{other} replaces {} and is not there", facts.name));
        assert!(other.shutdown.is_none(), "{} is replaced by what ends itself", facts.name);
    }
}

#[test]
fn snapshots_and_gateways_have_the_facts_of_their_model() {
    let catalogue = ModelCatalogue::built_in();
    for name in ["gpt-4.1-mini-2025-04-14", "openai/gpt-4.1-mini", "GPT-4.1-mini", "openai/gpt-4.1-mini-2025-04-14"] {
        assert_eq!(catalogue.facts(name).map(|facts| facts.name.as_str()), Some("gpt-4.1-mini"), "{name}");
    }
    for name in
        ["gpt-4.1-mini-2025-04-99", "gpt-4.1-micro", "gpt-5.1-nano", "-2025-04-14", "", "ä", "ft:gpt-4.1-mini:o::1"]
    {
        assert_eq!(catalogue.facts(name), None, "{name}");
    }
}

#[test]
fn how_a_model_is_asked_comes_from_its_family() {
    let catalogue = ModelCatalogue::built_in();
    let reasons = |name: &str| catalogue.manner(name).reasons;
    for name in ["o3-mini", "gpt-5", "openai/o1", "gpt-5.1-nano", "gpt-6-luna", "gpt-6.1-sol", "gpt-6_x"] {
        assert!(reasons(name), "{name}");
        assert_eq!(catalogue.manner(name).max_output, MaxOutput::MaxCompletionTokens, "{name}");
    }
    for name in ["gpt-4.1-mini", "o10", "olmo", "gpt-60", ""] {
        assert!(!reasons(name), "{name}");
    }
}

#[test]
fn money_is_exact_and_unknown_prices_are_unknown() {
    let catalogue = ModelCatalogue::built_in();
    // 0.40 and 1.60 dollars for a million: 400 and 1600 nano-dollars for one.
    assert_eq!(nanos(&catalogue, &usage("gpt-4.1-mini", 1000, 10)), Some(416_000));
    let cached = Usage { cached_tokens: 600, ..usage("gpt-4.1-mini", 1000, 0) };
    assert_eq!(nanos(&catalogue, &cached), Some(400 * 400 + 600 * 100));
    let written = Usage { cache_write_tokens: 8, ..usage("gpt-6-luna", 8, 0) };
    assert_eq!(nanos(&catalogue, &written), Some(8 * 125));
    let searched = Usage { searches: 2, ..usage("gpt-6-luna", 1, 0) };
    assert_eq!(nanos(&catalogue, &searched), Some(5_000_100));
    // Without a price for it a cached token costs as much as another.
    assert_eq!(nanos(&catalogue, &Usage { cached_tokens: 5, ..usage("text-embedding-3-small", 10, 0) }), Some(200));
    for unknown in [
        usage("gpt-4.1-nano", 1, 0),
        usage("my-own", 1, 0),
        usage("gpt-6-luna", 0, 0),
        usage("text-embedding-3-small", 1, 1),
    ] {
        assert_eq!(catalogue.cost(&unknown), None, "{unknown:?}");
    }
    let nonsense = Usage { cached_tokens: u64::MAX, cache_write_tokens: u64::MAX, ..usage("gpt-6-astra", u64::MAX, 1) };
    assert_eq!(nanos(&catalogue, &nonsense), None, "more than a number can hold is not known, either");
    let dear = "as_of: 2026-11-01\nmodels:\n  x:\n    prices: { input: 1000000, output: 1000000 }\n    \
                surcharge: { above_input_tokens: 1, input: 1000000, output: 1000000 }\n";
    assert_eq!(nanos(&with(dear).unwrap(), &usage("x", u64::MAX, u64::MAX)), None, "nor does it end the program");
}

#[test]
fn long_requests_cost_more() {
    let catalogue = ModelCatalogue::built_in();
    assert_eq!(nanos(&catalogue, &usage("gpt-6-luna", 272_000, 100)), Some(272_000 * 100 + 100 * 500));
    assert_eq!(nanos(&catalogue, &usage("gpt-6-luna", 272_001, 100)), Some(272_001 * 200 + 100 * 750));
    let two = Usage { requests: 2, ..usage("gpt-6-luna", 400_000, 0) };
    assert_eq!(nanos(&catalogue, &two), Some(400_000 * 100));
}

#[test]
fn storage_costs_by_the_month_beyond_what_is_free() {
    let catalogue = ModelCatalogue::built_in();
    let gib = 1 << 30;
    assert_eq!(catalogue.storage_per_month(gib).nano_dollars, 0);
    assert_eq!(catalogue.storage_per_month(2 * gib).nano_dollars, 3_000_000_000);
    assert_eq!(catalogue.storage_per_month(u64::MAX).nano_dollars, u64::MAX);
    assert_eq!(catalogue.storage_per_month(0).as_of, date(2026, 11, 22));
}

#[test]
fn amounts_are_shown_as_finely_as_they_are_small() {
    let shown = |nano_dollars| Cost { nano_dollars, as_of: date(2026, 11, 22) }.to_string();
    let amounts = [0, 999, 416_000, 9_999_999, 12_345_678, 999_999_999, 1_239_000_000, u64::MAX].map(shown);
    assert_eq!(
        amounts,
        ["$0", "$0.000001", "$0.000416", "$0.010000", "$0.0123", "$1.0000", "$1.24", "$18446744073.70"]
    );
}

#[test]
fn an_operators_file_adds_and_changes() {
    let text = "as_of: 2026-12-01\nstorage: { free_gib: 5 }\nmodels:\n  My-Own:\n    prices: { input: 1, output: 2.5 }\n  \
                gpt-4.1-mini:\n    shutdown: 2028-01-01\n  gpt-6-luna:\n    prices: { input: 7 }\n    reasons: false\n";
    let catalogue = with(text).unwrap();
    assert_eq!(nanos(&catalogue, &usage("my-own", 1, 2)), Some(1000 + 5000));
    assert_eq!(catalogue.cost(&usage("my-own", 1, 2)).unwrap().as_of, date(2026, 12, 1));
    let mini = catalogue.facts("gpt-4.1-mini").unwrap();
    assert_eq!((mini.shutdown, mini.as_of), (Some(date(2028, 1, 1)), catalogue.as_of));
    assert!(mini.prices.is_some() && mini.replacement.is_some(), "what it does not say stays");
    let luna = catalogue.facts("gpt-6-luna").unwrap();
    assert!(luna.surcharge.is_none() && !luna.manner.reasons, "{luna:?}");
    assert_eq!((catalogue.storage.free_gib, catalogue.storage.usd_per_gib_day.micros()), (5, 100_000));
}

#[test]
fn what_is_wrong_in_it_is_told_with_its_place() {
    let told = |text: &str| with(text).unwrap_err().to_string();
    for (text, place, words) in [
        ("models: {}\n", "", "as_of"),
        ("as_of: yesterday\n", ":1:8", "as_of"),
        ("as_of: 2026-12-01\nmodels:\n  a: { price: 1 }\n", ":3:8", "unknown field `price`"),
        ("as_of: 2026-12-01\nmodels:\n  a:\n    prices: { input: -1 }\n", ":4", "0 to 1000000"),
        ("as_of: 2026-12-01\nmodels:\n  a:\n    prices: { input: 1e-9 }\n", ":4", "6 digits"),
        ("as_of: 2026-12-01\nmodels:\n  a:\n    prices: { input: .nan }\n", ":4", "a number"),
        ("as_of: 2026-12-01\nmodels:\n  a: {}\n  A: {}\n", "", "twice"),
        ("as_of: [\n", ":1:8", ""),
    ] {
        let message = told(text);
        assert!(message.contains(&format!("models.yaml{place}")) && message.contains(words), "{text:?}: {message}");
    }
    let missing = ModelCatalogue::load(Some(Path::new("/nonexistent/models.yaml"))).unwrap_err().to_string();
    assert!(missing.contains("/nonexistent/models.yaml") && missing.contains("cannot be read"), "{missing}");
}

#[test]
fn the_end_of_a_model_is_told_early() {
    let catalogue = ModelCatalogue::built_in();
    let mini = Chosen::new("gpt-4.1-mini-2025-04-14", &catalogue);
    let on = |day: &str| mini.life(format!("{day}T23:59:59Z").parse().unwrap()).unwrap();
    for (day, days_left, is_worth_a_word, is_over) in [
        ("2026-10-15", 91, false, false),
        ("2026-10-16", 90, true, false),
        ("2027-01-13", 1, true, false),
        ("2027-01-14", 0, true, false),
        ("2027-01-15", -1, true, true),
    ] {
        let life = on(day);
        assert_eq!(
            (life.days_left, life.is_worth_a_word(), life.is_over()),
            (days_left, is_worth_a_word, is_over),
            "{day}"
        );
        assert!(life.describe().contains("2027-01-14") && life.describe().contains("gpt-6-luna"), "{life:?}");
    }
    assert_eq!(Chosen::new("gpt-6-luna", &catalogue).life(jiff::Timestamp::UNIX_EPOCH), None);
}

#[test]
fn what_the_service_says_of_an_end_counts_more() {
    let catalogue = ModelCatalogue::built_in();
    let mini = Chosen::new("gpt-4.1-mini", &catalogue);
    assert!(!mini.learn(date(2027, 1, 14)), "that was known");
    let other = mini.clone();
    assert!(mini.learn(date(2026, 12, 1)) && !mini.learn(date(2026, 12, 1)));
    let now = "2026-11-30T12:00:00Z".parse().unwrap();
    let again = Chosen::new("gpt-4.1-mini", &catalogue).after(&mini);
    for chosen in [&other, &again] {
        assert_eq!(chosen.life(now).map(|life| life.days_left), Some(1));
    }
    let another = Chosen::new("gpt-4o", &catalogue).after(&mini);
    assert_eq!(another.life(now).map(|life| life.ends), Some(date(2027, 1, 14)));
}

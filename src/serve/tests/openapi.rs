//! The description of the public side is true: routes, methods, requests and bounds are those of the code.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::bot::Bot;
use crate::chatkit::{
    MAX_CHOICE_CHARS, MAX_FEEDBACK_ITEMS, MAX_LABEL_CHARS, MAX_PARTS, MAX_TEXT_CHARS, MAX_TITLE_CHARS,
};
use crate::serve::ops::openapi::describe;
use crate::serve::router::ROUTES;

#[test]
fn every_reference_leads_somewhere() {
    let document = describe();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, references)),
        _ => {}
    }
}

/// H11 is what makes this comparison possible: a route tells its methods to whoever uses another.
#[tokio::test]
async fn the_description_has_the_routers_routes_and_methods() {
    let document = describe();
    let described: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let routed: BTreeSet<&str> = ROUTES.iter().map(|route| route.path).collect();
    assert_eq!(described, routed);
    let bot = Bot::usual().await;
    for route in ROUTES {
        let path = route.path.replace(['{', '}'], "");
        let odd = Method::from_bytes(b"PURGE").unwrap();
        let refused = reqwest::Client::new().request(odd, format!("{}{path}", bot.url)).send().await.unwrap();
        assert_eq!(refused.status(), 405, "{path}");
        let allowed = refused.headers()["allow"].to_str().unwrap().to_ascii_lowercase();
        let allowed: BTreeSet<&str> = allowed.split(',').map(str::trim).filter(|method| *method != "head").collect();
        let described: BTreeSet<&str> =
            document["paths"][route.path].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(described, allowed, "{path}");
    }
}

#[tokio::test]
async fn every_described_request_is_known_and_the_others_are_not() {
    let document = describe();
    let mapping = document.pointer("/components/schemas/Request/discriminator/mapping").unwrap();
    let mapping = mapping.as_object().unwrap();
    assert_eq!(mapping.len(), 16, "the protocol's requests");
    let bot = Bot::usual().await;
    let browser = bot.browser().await;
    for (kind, reference) in mapping {
        let schema = document.pointer(&reference.as_str().unwrap()[1..]).unwrap();
        assert_eq!(schema["properties"]["type"]["const"], **kind);
        let refused = browser.post(&json!({"type": kind, "params": {"limit": "x"}})).await.text().await.unwrap();
        assert!(!refused.contains("nknown request type"), "{kind}: {refused}");
    }
    let refused = browser.post(&json!({"type": "threads.invent", "params": {}})).await.text().await.unwrap();
    assert!(refused.contains("nknown request type"), "{refused}");
}

#[test]
fn the_described_bounds_are_those_of_the_parser() {
    let document = describe();
    let bounds = [
        ("Title/maxLength", MAX_TITLE_CHARS),
        ("UserMessageInput/properties/content/maxItems", MAX_PARTS),
        ("UserMessageInput/properties/quoted_text/maxLength", MAX_TEXT_CHARS),
        ("UserContent/oneOf/0/properties/text/maxLength", MAX_TEXT_CHARS),
        ("UserContent/oneOf/1/properties/id/maxLength", MAX_LABEL_CHARS),
        ("InferenceOptions/properties/model/maxLength", MAX_CHOICE_CHARS),
        ("ItemsFeedback/properties/params/properties/item_ids/maxItems", MAX_FEEDBACK_ITEMS),
    ];
    for (place, bound) in bounds {
        let found = document.pointer(&format!("/components/schemas/{place}"));
        assert_eq!(found, Some(&json!(bound)), "{place}");
    }
}

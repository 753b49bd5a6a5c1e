//! Output of tools, forms and actions: what is refused before the stream, and what becomes of the rest.

use serde_json::{Value, json};

use super::attachments;
use super::bot::{Bot, Browser, CHUNK, Setup, Step, input, types};
use super::scenarios::everything;
use crate::llm::ModelEvent;
use crate::model::item::{Beside, CallStatus, ClientToolCall, InputStatus, StructuredInput, Widget};
use crate::model::thread::ItemContent;

#[tokio::test]
async fn the_output_of_a_tool_is_kept_and_answered() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    for output in [json!({"opened": null}), Value::Null] {
        let (thread_id, told) = browser.ask("[[tool]] How long?").await;
        let call_id = told.last().unwrap()["item"]["id"].clone();
        let params = json!({"thread_id": thread_id, "result": output});
        let told = browser.stream("threads.add_client_tool_output", params.clone()).await;
        assert!(!types(&told).contains(&"thread.item.replaced"), "no event tells the completed call");
        let text = told.last().unwrap()["item"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(CHUNK), "the question before is answered: {text}");
        let items = everything(&browser, &thread_id).await;
        assert_eq!((&items[1]["id"], &items[1]["status"]), (&call_id, &json!("completed")));
        assert_eq!(items[1].get("output"), Some(&output).filter(|output| !output.is_null()));
        let again = browser.post(&json!({"type": "threads.add_client_tool_output", "params": params})).await;
        assert_eq!(again.status(), 409, "nothing waits any more");
        assert_eq!(everything(&browser, &thread_id).await, items);
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_form_is_filled_in_once() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("[[form]] q").await;
    let form_id = told.last().unwrap()["item"]["id"].clone();
    let fill = |item_id: &Value| json!({"thread_id": thread_id, "item_id": item_id, "input": {"status": "skipped", "answers": {}}});
    let told = browser.stream("threads.add_structured_input", fill(&form_id)).await;
    assert_eq!(types(&told)[..3], ["stream_options", "thread.item.replaced", "progress_update"]);
    let skipped = json!({"values": [], "skipped": true});
    assert_eq!(told[1]["item"]["status"], "skipped");
    assert_eq!(
        (&told[1]["item"]["inputs"][0]["answer"], &told[1]["item"]["inputs"][1]["answer"]),
        (&skipped, &skipped)
    );
    let items = everything(&browser, &thread_id).await;
    assert_eq!(items[1], told[1]["item"]);
    let (question, unknown) = (items[0]["id"].clone(), json!("msg_gone"));
    for (item_id, status) in [(&form_id, 409), (&question, 409), (&unknown, 404)] {
        assert_eq!(attempt(&browser, "threads.add_structured_input", fill(item_id)).await, status, "{item_id}");
    }
    assert_eq!(everything(&browser, &thread_id).await, items);
    bot.stop().await;
}

#[tokio::test]
async fn widgets_are_changed_by_their_actions() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("[[widget]] q").await;
    let widget_id = told.last().unwrap()["item"]["id"].clone();
    let act = |kind: &str| json!({"thread_id": thread_id, "item_id": widget_id, "action": {"type": kind}});
    let unchanged = browser.call("threads.sync_custom_action", act("unknown")).await;
    assert_eq!(unchanged, json!({}));
    let told = browser.stream("threads.custom_action", act("update")).await;
    assert_eq!(types(&told), ["stream_options", "thread.item.replaced"]);
    assert_eq!(everything(&browser, &thread_id).await[1], told[1]["item"]);
    let told = browser.stream("threads.custom_action", act("remove")).await;
    assert_eq!(told[1], json!({"type": "thread.item.removed", "item_id": widget_id}));
    assert_eq!(everything(&browser, &thread_id).await.len(), 1);
    for kind in ["threads.custom_action", "threads.sync_custom_action"] {
        assert_eq!(attempt(&browser, kind, act("refresh")).await, 404, "{kind}: it is gone");
    }
    bot.stop().await;
}

/// A17: an item counts only in its own thread, and an action's item is a widget.
#[tokio::test]
async fn items_of_other_threads_are_no_items() {
    let bot = Bot::stub().await;
    let browser = bot.browser().await;
    let (here, _) = browser.ask("[[widget]] q").await;
    let (there, told) = browser.ask("[[widget]] q").await;
    let (question, widget) = (told[1]["item"]["id"].clone(), told.last().unwrap()["item"]["id"].clone());
    let (_, told) = browser.ask("[[form]] q").await;
    let form = told.last().unwrap()["item"]["id"].clone();
    let with = |item_id: &Value| {
        json!({"thread_id": here, "item_id": item_id, "action": {"type": "update"}, "input": {}, "after": item_id,
            "item_ids": [item_id], "kind": "positive"})
    };
    let unknown = json!("msg_00000000000000000000000000000000");
    for (kind, item_id, status) in [
        ("threads.custom_action", &widget, 404),
        ("threads.sync_custom_action", &widget, 404),
        ("threads.add_structured_input", &form, 404),
        ("threads.retry_after_item", &question, 404),
        ("items.feedback", &question, 404),
        ("items.list", &question, 400),
    ] {
        let (foreign, absent) =
            (answer(&browser, kind, with(item_id)).await, answer(&browser, kind, with(&unknown)).await);
        assert_eq!(foreign, absent, "{kind}");
        assert_eq!(foreign.0, status, "{kind}");
    }
    let action = json!({"thread_id": there, "item_id": question, "action": {"type": "update"}});
    for kind in ["threads.custom_action", "threads.sync_custom_action"] {
        assert_eq!(attempt(&browser, kind, action.clone()).await, 400, "{kind}: a message is no widget");
    }
    assert_eq!(everything(&browser, &there).await[1]["copy_text"], "Refund status: paid");
    bot.stop().await;
}

#[tokio::test]
async fn what_a_backend_does_not_take_is_not_supported_and_changes_nothing() {
    let call = ClientToolCall {
        status: CallStatus::Pending,
        call_id: "c".to_owned(),
        name: "n".to_owned(),
        arguments: serde_json::Map::new(),
        output: None,
    };
    let form = StructuredInput { status: InputStatus::Pending, inputs: Vec::new() };
    let widget = Widget { widget: serde_json::Map::new(), copy_text: None };
    let item_of = |content| vec![Step::Tell(Box::new(ModelEvent::Beside(Beside::ItemDone(content))))];
    let result = json!({"result": 1, "input": {}, "action": {"type": "a"}});
    for (kind, content) in [
        ("threads.add_client_tool_output", ItemContent::ClientToolCall(call)),
        ("threads.add_structured_input", ItemContent::StructuredInput(form)),
        ("threads.custom_action", ItemContent::Widget(widget.clone())),
        ("threads.sync_custom_action", ItemContent::Widget(widget)),
    ] {
        let bot = Bot::start(Setup { script: item_of(content), ..Setup::default() }).await;
        let browser = bot.browser().await;
        let (thread_id, told) = browser.ask("q").await;
        let before = everything(&browser, &thread_id).await;
        let mut params = result.clone();
        params["thread_id"] = json!(thread_id);
        params["item_id"] = told.last().unwrap()["item"]["id"].clone();
        let (status, error) = answer(&browser, kind, params).await;
        assert_eq!((status, error["error"]["code"].as_str()), (501, Some("not_supported")), "{kind}");
        assert_eq!(everything(&browser, &thread_id).await, before, "{kind}");
        assert_eq!(bot.asked.lock().unwrap().len(), 1, "{kind}: the model was not asked");
        bot.stop().await;
    }
}

#[tokio::test]
async fn a_message_with_attachments_that_are_not_there_creates_nothing() {
    let bot = attachments::bot().await;
    let browser = bot.browser().await;
    let mut message = input("q");
    message["attachments"] = json!(["atc_gone"]);
    assert_eq!(attempt(&browser, "threads.create", json!({"input": message})).await, 404);
    assert_eq!(browser.call("threads.list", json!({})).await["data"], json!([]));
    let (thread_id, _) = browser.ask("q").await;
    let add = json!({"thread_id": thread_id, "input": message});
    assert_eq!(attempt(&browser, "threads.add_user_message", add).await, 404);
    assert_eq!(browser.items(&thread_id).await.len(), 2);
    bot.stop().await;
}

async fn attempt(browser: &Browser, kind: &str, params: Value) -> u16 {
    answer(browser, kind, params).await.0
}

/// Status and body, the request's own id aside.
async fn answer(browser: &Browser, kind: &str, params: Value) -> (u16, Value) {
    let response = browser.post(&json!({"type": kind, "params": params})).await;
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json", "{kind}: before the stream");
    let mut body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    body["error"]["request_id"] = json!("");
    (status, body)
}

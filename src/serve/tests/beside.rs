//! What a model does beside its text, in ways that no scenario has.

use serde_json::{Value, json};

use super::bot::{Bot, Setup, Step, types};
use super::scenarios::everything;
use crate::llm::ModelEvent;
use crate::model::item::{Beside, GeneratedImage, HiddenContext, Image, ItemUpdate, Task, TaskKind, TaskStatus, Which};
use crate::model::thread::ItemContent;

#[tokio::test]
async fn an_item_that_comes_within_the_text_stands_after_it() {
    let script = vec![
        Step::Text("Within "),
        tell(Beside::ItemDone(task("first"))),
        tell(Beside::ItemDone(task("second"))),
        tell(Beside::ItemReplaced { which: Which::Last, content: task("better") }),
        Step::Text("30 days."),
    ];
    let (told, kept) = play(script).await;
    let done: Vec<&Value> =
        told.iter().filter(|event| event["type"] == "thread.item.done").map(|e| &e["item"]).collect();
    assert_eq!(kept.iter().collect::<Vec<_>>(), done);
    assert_eq!(kept[1]["content"][0]["text"], "Within 30 days.");
    assert_eq!((title(&kept[2]), title(&kept[3])), ("first", "better"));
}

#[tokio::test]
async fn an_item_left_open_is_ended_as_far_as_it_came() {
    let image = Image { id: "i".to_owned(), url: "/i.png".to_owned() };
    let script = vec![
        tell(Beside::ItemAdded(ItemContent::GeneratedImage(GeneratedImage { image: None }))),
        tell(Beside::ItemUpdated(ItemUpdate::Image { image: image.clone(), progress: None })),
    ];
    let (told, kept) = play(script).await;
    assert_eq!(types(&told)[5..], ["thread.item.added", "generated_image.updated", "thread.item.done"]);
    assert_eq!(kept[1]["image"], json!({"id": "i", "url": "/i.png"}));
    assert_eq!(kept[1], told[7]["item"]);
}

#[tokio::test]
async fn what_does_not_fit_is_not_told() {
    let image = Image { id: "i".to_owned(), url: "/i.png".to_owned() };
    let update = || tell(Beside::ItemUpdated(ItemUpdate::Image { image: image.clone(), progress: None }));
    let script = vec![
        update(),
        tell(Beside::ItemAdded(task("open"))),
        update(),
        tell(Beside::ItemDone(task("done"))),
        tell(Beside::ItemRemoved { which: Which::Id("msg_gone".to_owned()) }),
        tell(Beside::Title(" \n".to_owned())),
        Step::Text("Ok."),
    ];
    let (told, kept) = play(script).await;
    assert_eq!(types(&told)[5..8], ["thread.item.added", "thread.item.done", "thread.item.added"]);
    assert_eq!((kept.len(), title(&kept[1])), (3, "done"));
}

#[tokio::test]
async fn an_unknown_item_that_is_replaced_comes_as_a_new_one_under_an_id_of_ours() {
    let which = Which::Id("msg_of_the_models_own".to_owned());
    let (told, kept) = play(vec![tell(Beside::ItemReplaced { which, content: task("new") })]).await;
    assert_eq!(types(&told).last(), Some(&"thread.item.done"));
    assert_eq!(title(&kept[1]), "new");
    assert!(kept[1]["id"].as_str().unwrap().starts_with("tsk_"));
}

/// M9: an item that becomes hidden is gone for everybody, and one that begins hidden never was.
#[tokio::test]
async fn hiding_is_telling_that_it_is_gone() {
    let secret = || ItemContent::HiddenContextItem(HiddenContext { content: json!("SECRET") });
    let script = vec![
        tell(Beside::ItemAdded(secret())),
        tell(Beside::ItemDone(secret())),
        tell(Beside::ItemDone(task("seen"))),
        tell(Beside::ItemReplaced { which: Which::Last, content: secret() }),
        Step::Text("Ok."),
    ];
    let (told, kept) = play(script).await;
    assert_eq!(types(&told)[5..7], ["thread.item.done", "thread.item.removed"]);
    assert_eq!(kept.len(), 2);
    assert!(!format!("{told:?}{kept:?}").contains("SECRET"));
}

#[tokio::test]
async fn a_fall_back_is_told_and_counted_a_retry_only_counted() {
    let script = vec![tell(Beside::Retrying), tell(Beside::FellBack), Step::Text("Ok.")];
    let (told, _) = play(script).await;
    assert_eq!((told[5]["type"].as_str(), told[5]["level"].as_str()), (Some("notice"), Some("warning")));
    assert_eq!(told.iter().filter(|event| event["type"] == "notice").count(), 1);
}

#[tokio::test]
async fn a_turn_that_did_nothing_is_a_failure() {
    for script in [vec![], vec![tell(Beside::FellBack)], vec![Step::Text(" "), tell(Beside::ItemDone(task("t")))]] {
        let (told, _) = play(script).await;
        assert_eq!(told.last().unwrap()["type"], "error");
    }
}

/// The events of one answer, and the items afterwards.
async fn play(script: Vec<Step>) -> (Vec<Value>, Vec<Value>) {
    let bot = Bot::start(Setup { script, ..Setup::default() }).await;
    let browser = bot.browser().await;
    let (thread_id, told) = browser.ask("q").await;
    let kept = everything(&browser, &thread_id).await;
    bot.stop().await;
    (told, kept)
}

fn tell(beside: Beside) -> Step {
    Step::Tell(Box::new(ModelEvent::Beside(beside)))
}

fn task(title: &str) -> ItemContent {
    let kind = TaskKind::Image { title: Some(title.to_owned()) };
    ItemContent::Task { task: Task { status_indicator: TaskStatus::None, kind } }
}

fn title(item: &Value) -> &str {
    item["task"]["title"].as_str().unwrap_or_default()
}

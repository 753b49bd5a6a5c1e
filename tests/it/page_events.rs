//! What the page makes of everything that a server may tell: items, notices, errors, limits, hostile values.
//!
//! A script answers in the server's place, so that each event comes when a test needs it; the page, its policy and
//! everything else are the real ones.

use serde_json::{Value, json};

use crate::bot::TestBot;
use crate::browser::Browser;

const THREAD: &str = "thr_0123456789abcdef0123456789abcdef";
const SCRIPT: &str = include_str!("page_events.js");

pub struct Page {
    pub browser: Browser,
    bot: TestBot,
    _folder: tempfile::TempDir,
}

impl Page {
    /// The page with these answers in wait; `None` where there is no browser.
    pub async fn open(what: &str, answers: Value) -> Option<Self> {
        let Some(browser) = Browser::start().await else {
            println!("NOT RUN: {what} (install chromium and chromedriver)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("data/returns.md"), "# Returns\n\nRefunds take five days.\n").unwrap();
        let bot = TestBot::start(folder.path(), &[]);
        browser.open(&bot.url).await;
        browser.wait_for_text(".documents", "Returns").await;
        browser.run(SCRIPT, &[answers]).await;
        Some(Self { browser, bot, _folder: folder })
    }

    pub async fn ask(&self, question: &str) {
        self.browser.write("#question", question).await;
        self.browser.click("#send").await;
    }

    /// The requests that were answered in the server's place.
    pub async fn asked(&self) -> Vec<Value> {
        self.browser.evaluate("return window.asked").await.as_array().unwrap().clone()
    }

    pub async fn count(&self, selector: &str) -> u64 {
        let script = format!("return document.querySelectorAll({}).length", json!(selector));
        self.browser.evaluate(&script).await.as_u64().unwrap()
    }

    pub async fn has_no_complaints(&self) {
        let complaints = self.browser.complaints().await;
        assert!(complaints.is_empty(), "the console complains: {complaints:?}");
    }
}

/// An item of this kind with these fields, an object.
fn item(id: &str, kind: &str, mut fields: Value) -> Value {
    for (name, value) in [("id", id), ("thread_id", THREAD), ("created_at", "2026-01-02T03:04:05Z"), ("type", kind)] {
        fields[name] = json!(value);
    }
    fields
}

fn done(item: &Value) -> Value {
    json!({"type": "thread.item.done", "item": item})
}

fn thread(status: &Value) -> Value {
    let items = json!({"data": [], "has_more": false});
    json!({"id": THREAD, "created_at": "2026-01-02T03:04:05Z", "title": "A title", "status": status, "metadata": {}, "items": items})
}

/// The beginning of a stream that makes a thread.
fn begun() -> Vec<Value> {
    let question =
        json!({"content": [{"type": "input_text", "text": "q"}], "attachments": [], "inference_options": {}});
    vec![
        json!({"type": "thread.created", "thread": thread(&json!({"type": "active"}))}),
        done(&item("msg_q", "user_message", question)),
        json!({"type": "stream_options", "stream_options": {"allow_cancel": true}}),
    ]
}

pub fn answer(id: &str, text: &str, annotations: &Value) -> Value {
    let part = json!({"type": "output_text", "text": text, "annotations": annotations});
    done(&item(id, "assistant_message", json!({"content": [part]})))
}

pub fn created(events: &[Value]) -> Value {
    let events = [begun(), events.to_vec()].concat();
    json!({ "events": events })
}

/// M4: whatever is told becomes text, never markup, never a link or a picture of another host.
#[tokio::test]
async fn hostile_items_are_shown_and_do_nothing() {
    let evil = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";
    let hidden = "\u{202e}\u{200b}\u{7f}\u{e0041}";
    let source = json!({"type": "url", "title": evil, "url": "javascript:window.hacked=1"});
    let far = json!({"type": "url", "title": "far", "url": "https://evil.example/?q=secret"});
    let near = json!({"type": "entity", "id": "e", "title": "Order 7", "interactive": true, "data": {}});
    let marks = json!([
        {"type": "annotation", "source": source, "index": 4},
        {"type": "annotation", "source": far, "index": 4},
        {"type": "annotation", "source": near, "index": 4},
    ]);
    let picture = json!({"type": "Image", "src": "https://evil.example/p.png", "alt": "A far picture"});
    let button = json!({"type": "Button", "label": evil, "onClickAction": {"type": "x"}});
    let link = json!({"type": "Link", "href": "javascript:window.hacked=1", "label": "a link"});
    let children =
        json!([{"type": "Title", "value": evil}, picture, button, link, {"type": "Odd", "value": "odd text"}]);
    let steps = json!([
        {"type": "file", "title": evil, "status_indicator": "complete", "sources": [source]},
        {"type": "thought", "content": evil, "status_indicator": "loading"},
    ]);
    let inputs = json!([
        {"type": "multiple_choice", "id": "a", "question": evil, "options": [{"value": evil}], "multiple": false},
        {"type": "freeform", "id": "b", "question": "Why?", "description": evil},
    ]);
    let events = [
        json!({"type": "notice", "level": "danger", "message": format!("hidden{hidden}signs")}),
        json!({"type": "notice", "level": "warning", "title": evil, "message": format!("Take **care** {evil} [x](https://evil.example)")}),
        done(&item("wf_1", "workflow", json!({"workflow": {"type": "custom", "tasks": steps, "expanded": true}}))),
        done(&item("tsk_1", "task", json!({"task": {"type": "custom", "title": evil, "content": evil}}))),
        done(&item("msg_w", "widget", json!({"widget": {"type": "Card", "children": children}}))),
        done(&item("msg_i", "generated_image", json!({"image": {"id": "i", "url": "//evil.example/i.png"}}))),
        done(&item(
            "tc_1",
            "client_tool_call",
            json!({"status": "pending", "call_id": "c", "name": evil, "arguments": {}}),
        )),
        done(&item("msg_f", "structured_input", json!({"status": "pending", "inputs": inputs}))),
        done(&item("msg_e", "end_of_turn", json!({}))),
        done(&item("msg_u", "a_kind_of_tomorrow", json!({}))),
        json!({"type": "client_effect", "name": evil, "data": {"html": evil}}),
        json!({"type": "thread.item.removed", "item_id": "msg_unknown"}),
        json!({"type": "an_event_of_tomorrow"}),
        answer("msg_a", &format!("Done {hidden}{evil}"), &marks),
    ];
    let Some(page) = Page::open("hostile items", json!({"threads.create": [created(&events)]})).await else { return };
    page.ask("q").await;
    page.browser.wait_for_text(".message-answer .answer", "onerror").await;
    // Sources are shown when they come near the screen.
    page.browser.evaluate("document.querySelector('.message-answer').scrollIntoView()").await;
    page.browser.wait_for_text(".sources", "evil.example").await;
    page.browser.wait_for_text(".notice-danger", "hiddensigns").await;
    let unseen = "return /[\\u202e\\u200b\\u007f\\u{e0041}]/u.test(document.querySelector('.messages').textContent)";
    assert_eq!(page.browser.evaluate(unseen).await, json!(false), "signs that nobody sees do not pass");
    for shown in [
        ".notice-warning",
        ".item-workflow",
        ".item-task",
        ".item-widget",
        ".item-client_tool_call",
        ".item-structured_input",
    ] {
        page.browser.wait_for_text(shown, "onerror").await;
    }
    page.browser.wait_for_text(".item-widget", "odd text").await;
    page.browser.wait_for_text(".item-generated_image", "not shown").await;
    assert_eq!(page.browser.evaluate("return window.hacked ?? null").await, Value::Null);
    assert_eq!(page.count(".messages img, .messages script, .messages iframe").await, 0);
    let strange = "return [...document.querySelectorAll('.messages a')].map(a => a.href).filter(h => !h.startsWith(location.origin))";
    assert_eq!(page.browser.evaluate(strange).await, json!([]), "no link leads elsewhere");
    for width in [360, 1200] {
        page.browser.resize(width).await;
        let fits = page.browser.evaluate("return document.documentElement.scrollWidth <= innerWidth").await;
        assert_eq!(fits, json!(true), "it fits {width} pixels");
    }
    page.has_no_complaints().await;
}

#[tokio::test]
async fn a_form_is_filled_in_and_a_widget_is_touched() {
    let inputs = json!([
        {"type": "multiple_choice", "id": "reason", "question": "Why?", "options": [{"value": "Damaged"}, {"value": "Wrong size"}], "multiple": false},
        {"type": "freeform", "id": "note", "question": "Anything else?"},
    ]);
    let form = item("msg_f", "structured_input", json!({"status": "pending", "inputs": inputs}));
    let mut answered = form.clone();
    answered["status"] = json!("answered");
    answered["inputs"][0]["answer"] = json!({"values": ["Damaged"], "skipped": false});
    let button =
        json!({"type": "Button", "label": "Refresh", "onClickAction": {"type": "refresh", "payload": {"a": null}}});
    let card = json!({"type": "Card", "children": [{"id": "t", "type": "Text", "value": "Status: "}, button]});
    let widget = item("msg_w", "widget", json!({"widget": card}));
    let grown =
        json!({"type": "widget.streaming_text.value_delta", "component_id": "t", "delta": "paid", "done": true});
    let options = json!({"type": "stream_options", "stream_options": {"allow_cancel": true}});
    let replaced = json!({"type": "thread.item.replaced", "item": answered});
    let answers = json!({
        "threads.create": [created(&[
            json!({"type": "thread.item.added", "item": widget}),
            json!({"type": "thread.item.updated", "item_id": "msg_w", "update": grown}),
            done(&form),
        ])],
        "threads.add_structured_input": [{"events": [options, replaced, answer("msg_a", "Thank you.", &json!([]))]}],
        "threads.custom_action": [{"events": [options, {"type": "thread.item.removed", "item_id": "msg_w"}]}],
    });
    let Some(page) = Page::open("forms and widgets", answers).await else { return };
    page.ask("q").await;
    page.browser.wait_for_text(".item-widget", "Status: paid").await;
    page.browser.wait_for_text(".item-structured_input legend", "Why?").await;
    assert_eq!(page.count(".problem").await, 0, "a turn without a message is one");
    page.browser.click(".form-option input[value='Damaged']").await;
    page.browser.click(".form [type=submit]").await;
    page.browser.wait_for_text(".message-answer .answer", "Thank you.").await;
    page.browser.wait_for_text(".item-structured_input dd", "Damaged").await;
    let sent = page.asked().await[1]["params"].clone();
    let expected = json!({"status": "answered", "answers": {
        "reason": {"values": ["Damaged"], "skipped": false}, "note": {"values": [], "skipped": true},
    }});
    assert_eq!((sent["item_id"].as_str(), &sent["input"]), (Some("msg_f"), &expected));
    page.browser.click(".item-widget button").await;
    page.browser.wait_for(".item-widget", 0).await;
    let action = page.asked().await[2]["params"]["action"].clone();
    assert_eq!(action, json!({"type": "refresh", "payload": {"a": null}}));
    assert_eq!(page.count(".problem").await, 0);
    page.has_no_complaints().await;
}

#[tokio::test]
async fn failures_say_what_they_are_and_offer_a_retry_where_that_helps() {
    let busy =
        json!({"type": "error", "code": "custom", "message": "The assistant is very busy.", "allow_retry": true});
    let never = json!({"type": "error", "code": "stream.error", "allow_retry": false});
    let limited = json!({"error": {"code": "rate_limited", "message": "Too many requests.", "request_id": "req_1"}});
    let answers = json!({
        "threads.create": [created(&[busy])],
        "threads.retry_after_item": [
            {"events": [never]},
        ],
        "threads.add_user_message": [
            {"status": 429, "headers": {"Retry-After": "2"}, "body": limited},
            {"events": [answer("msg_b", "Now it works.", &json!([]))]},
        ],
    });
    let Some(page) = Page::open("failures", answers).await else { return };
    page.ask("q").await;
    page.browser.wait_for_text(".problem-error", "very busy").await;
    page.browser.click(".problem-error button").await;
    page.browser.wait_for_text(".problem-error", "Something went wrong").await;
    assert_eq!(page.asked().await[1]["params"], json!({"thread_id": THREAD, "item_id": "msg_q"}));
    assert_eq!(page.count(".problem-error button").await, 0, "a retry would not help");
    page.ask("again").await;
    page.browser.wait_for_text("#composer-hint", "Please wait").await;
    page.browser.write("#question", "more").await;
    assert_eq!(page.count("#send:disabled").await, 1, "nothing is sent before the time");
    // By itself, when the time is over.
    page.browser.wait_for("#send:disabled", 0).await;
    page.browser.click("#send").await;
    page.browser.wait_for_text(".message-answer:last-child .answer", "Now it works.").await;
}

#[tokio::test]
async fn a_stopped_answer_stays_and_a_locked_conversation_takes_no_more() {
    let added =
        json!({"type": "thread.item.added", "item": item("msg_a", "assistant_message", json!({"content": []}))});
    let delta = json!({"type": "assistant_message.content_part.text_delta", "content_index": 0, "delta": "Half of it"});
    let grown = json!({"type": "thread.item.updated", "item_id": "msg_a", "update": delta});
    let locked = json!({"type": "thread.updated", "thread": thread(&json!({"type": "locked", "reason": "Paid <b>in full</b>"}))});
    let mut halting = created(&[added, grown]);
    halting["hangs"] = json!(true);
    let answers = json!({
        "threads.create": [halting],
        "threads.add_user_message": [{"events": [answer("msg_b", "That was all.", &json!([])), locked]}],
    });
    let Some(page) = Page::open("stopping and locking", answers).await else { return };
    page.ask("q").await;
    page.browser.wait_for_text(".message-answer .answer", "Half of it").await;
    page.browser.click("#stop").await;
    page.browser.wait_for_text(".problem-note", "You stopped this answer.").await;
    page.browser.wait_for_text(".message-answer .answer", "Half of it").await;
    page.ask("more").await;
    page.browser.wait_for_text(".message-answer:last-child .answer", "That was all.").await;
    page.browser.wait_for_text("#closed-note", "Paid <b>in full</b>").await;
    let closed = "return document.querySelector('#composer').hidden";
    assert_eq!(page.browser.evaluate(closed).await, json!(true));
}

/// Marks count code points, and stand behind the sign they follow in whatever script.
#[tokio::test]
async fn marks_stand_where_they_belong() {
    let parts = ["Familie 👨‍👩‍👧‍👦 ", "cafe\u{301} ", "החזרות ", "𝔘nused"];
    let mut position = 0;
    let mut marks = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        position += part.chars().count();
        let source = json!({"type": "file", "title": format!("t{place}"), "filename": format!("f{place}.md")});
        marks.push(json!({"type": "annotation", "source": source, "index": position}));
    }
    // Between the letter and its accent there is no place.
    let within = json!({"type": "file", "title": "t4", "filename": "f4.md"});
    let accent = parts[0].chars().count() + 4;
    marks.insert(1, json!({"type": "annotation", "source": within, "index": accent}));
    let told = answer("msg_a", &parts.concat(), &json!(marks));
    let Some(page) = Page::open("marks", json!({"threads.create": [created(&[told])]})).await else { return };
    page.ask("q").await;
    page.browser.wait_for_text(".message-answer .answer", "nused").await;
    let before = "return [...document.querySelectorAll('.answer .mark')].map((mark) => {
        const range = document.createRange();
        range.setStart(document.querySelector('.answer'), 0);
        range.setEndBefore(mark);
        const box = document.createElement('div');
        box.append(range.cloneContents());
        box.querySelectorAll('.mark').forEach((one) => one.remove());
        return box.textContent;
    })";
    let upto = |count: usize| parts[..count].concat();
    let accented = format!("{}cafe\u{301}", parts[0]);
    assert_eq!(page.browser.evaluate(before).await, json!([upto(1), accented, upto(2), upto(3), upto(4)]));
}

#[tokio::test]
async fn who_is_offline_is_told_and_keeps_what_was_written() {
    let Some(page) = Page::open("being offline", json!({})).await else { return };
    page.browser.write("#question", "kept").await;
    let go = |online: bool| {
        let name = if online { "online" } else { "offline" };
        format!(
            "Object.defineProperty(navigator, 'onLine', {{ configurable: true, get: () => {online} }}); window.dispatchEvent(new Event('{name}'))"
        )
    };
    page.browser.evaluate(&go(false)).await;
    page.browser.wait_for("#offline:not([hidden])", 1).await;
    assert_eq!(page.count("#send:disabled").await, 1);
    page.browser.evaluate(&go(true)).await;
    page.browser.wait_for("#send:disabled", 0).await;
    assert_eq!(page.browser.evaluate("return document.querySelector('#question').value").await, "kept");
    assert!(page.bot.url.starts_with("http://127.0.0.1"));
}

/// Another tab may have deleted what is shown here, and another program may have given it an odd title.
#[tokio::test]
async fn a_conversation_is_renamed_and_found_deleted() {
    let gone = json!({"error": {"code": "not_found", "message": "No such thread."}});
    let mut renamed = thread(&json!({"type": "active"}));
    renamed["title"] = json!("a\u{202e}b\u{200b}c");
    let answers = json!({
        "threads.create": [created(&[answer("msg_a", "Yes.", &json!([]))])],
        "threads.update": [{"body": renamed}],
        "threads.add_user_message": [{"status": 404, "body": gone}],
        "threads.get_by_id": [{"status": 404, "body": gone}],
    });
    let Some(page) = Page::open("renaming and deleting", answers).await else { return };
    page.ask("q").await;
    page.browser.wait_for_text(".message-answer .answer", "Yes.").await;
    page.browser.press(".thread [aria-label^='Rename']").await;
    page.browser.press("#rename-dialog [type=submit]").await;
    page.browser.wait_for_text("#title", "abc").await;
    let titles =
        page.browser.evaluate("return [document.title, document.querySelector('.thread-name').textContent]").await;
    assert!(titles[0].as_str().unwrap().starts_with("abc ") && titles[1] == "abc", "{titles}");
    page.ask("more").await;
    page.browser.wait_for_text("#closed-note", "does not exist any more").await;
    let offered =
        "return [...document.querySelectorAll('.problem button')].filter((one) => one.checkVisibility()).length";
    assert_eq!(page.browser.evaluate(offered).await, 0, "a retry would not help");
}

/// M4: the policy lets no picture of another host pass, so none is tried.
#[tokio::test]
async fn an_allowed_host_may_be_linked_and_its_pictures_are_told() {
    let mut opened = thread(&json!({"type": "active"}));
    opened["allowed_image_domains"] = json!(["pictures.example"]);
    let picture = json!({"type": "Image", "src": "https://pictures.example/p.png", "alt": "A far picture"});
    let link = json!({"type": "Link", "href": "https://pictures.example/a", "label": "a link"});
    let near = json!({"type": "Image", "src": "/assets/favicon.svg", "alt": "A near picture"});
    let card = json!({"widget": {"type": "Card", "children": [picture, link, near]}});
    let events = [json!({"type": "thread.updated", "thread": opened}), done(&item("msg_w", "widget", card))];
    let Some(page) = Page::open("far pictures", json!({"threads.create": [created(&events)]})).await else { return };
    page.ask("q").await;
    page.browser.wait_for_text(".item-widget", "A far picture").await;
    assert_eq!(page.browser.attributes(".item-widget a", "href").await, ["https://pictures.example/a"]);
    assert_eq!(page.browser.attributes(".item-widget img", "alt").await, ["A near picture"]);
    page.has_no_complaints().await;
}

#[tokio::test]
async fn steps_that_grow_stay_as_the_reader_left_them() {
    let Some(page) = Page::open("growing steps", json!({})).await else { return };
    let grow = "const { ItemView } = await import('/assets/items.js');
        const view = ItemView.of({ id: 'w', type: 'workflow', workflow: { tasks: [] } }, {});
        document.querySelector('#view').append(view.root);
        const grow = (title) => view.update({ type: 'workflow.task.added', task_index: 0, task: { title } });
        const state = () => [view.root.querySelector('details').open, document.activeElement.tagName];
        window.states = [state()[0]];
        view.root.querySelector('summary').focus();
        view.root.querySelector('summary').click();
        for (const title of ['one', 'two']) { grow(title); window.states.push(state()); }
        view.root.querySelector('summary').click();
        grow('three');
        window.states.push(state());";
    page.browser.run_async(grow).await;
    let states = page.browser.evaluate("return window.states").await;
    let unfolded = json!([true, "SUMMARY"]);
    assert_eq!(states, json!([false, unfolded, unfolded, [false, "SUMMARY"]]));
}

/// M4: a text of openings that never end is drawn in a time that its length decides, not the square of it.
#[tokio::test]
async fn markdown_is_drawn_in_time_and_without_its_escapes() {
    let Some(page) = Page::open("Markdown", json!({})).await else { return };
    let draw = "const { renderMarkdown } = await import('/assets/markdown.js');
        const draw = (text) => {
            const box = document.createElement('div');
            renderMarkdown(box, text, [], () => null);
            return box.textContent;
        };
        window.escaped = draw('\\\\<img\\\\> \\\\[x\\\\]\\\\(y\\\\) C:\\\\new \\\\!\\\\~');
        const began = performance.now();
        for (const opening of ['**a ', '*a ', '**`a``b```c']) draw(opening.repeat(25000));
        window.took = performance.now() - began;";
    page.browser.run_async(draw).await;
    assert_eq!(page.browser.evaluate("return window.escaped").await, "<img> [x](y) C:\\new !~");
    let took = page.browser.evaluate("return window.took").await.as_f64().unwrap();
    assert!(took < 15_000.0, "it took {took} ms");
}

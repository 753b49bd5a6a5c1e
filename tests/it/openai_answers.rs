//! `MODEL_BACKEND=openai` through the real program, against the strict stand-in of the service.

use std::io::Write as _;
use std::process::Stdio;

use openai_stand_in::{Act, Cited, Ending, ErrorBody, Fault, IndexMeaning, Rules, ScriptedAnswer, StandIn};
use serde_json::{Value, json};

use crate::bot::{Streamed, TestBot, message, read_stream};
use crate::sandbox::Sandbox;

pub const QUESTION: &str = "When do you start the refund once a return has been checked in Venlo?";
/// What the service makes of the sample PDF: its own extraction has other line breaks than ours.
pub const REFUNDS: &str = "Refunds: when and how you get your money back We always refund to the payment method with which \
you paid. Once a return has been checked in Venlo, which takes up to 5 working days after arrival, we start the refund \
on the same day and send you a message. How fast the money then reaches you is decided by your bank.";
pub const ANSWER: &str = "We start the refund on the day on which the return is checked.";

/// The service with one store.
pub struct Service {
    pub stand_in: StandIn,
    pub store_id: String,
    /// Its files: id and name.
    files: Vec<(String, String)>,
}

impl Service {
    /// With these documents: name of the file, path and id of the document, text.
    pub async fn with(documents: &[(&str, &str, &str)]) -> Self {
        let stand_in = StandIn::start_with(Rules::default()).await;
        let mut service = Self { stand_in, store_id: String::new(), files: Vec::new() };
        service.store_id = service.post("/vector_stores", json!({})).await["id"].as_str().unwrap().to_owned();
        for (name, path, text) in documents {
            let part = reqwest::multipart::Part::text((*text).to_owned()).file_name((*name).to_owned());
            let form = reqwest::multipart::Form::new().text("purpose", "assistants").part("file", part);
            let request = service.request("/files").multipart(form);
            let file: Value = request.send().await.unwrap().json().await.unwrap();
            let attributes = json!({ "path": path, "restricted": false });
            let attach = json!({ "file_id": file["id"], "attributes": attributes });
            service.post(&format!("/vector_stores/{}/files", service.store_id), attach).await;
            service.files.push((file["id"].as_str().unwrap().to_owned(), (*name).to_owned()));
        }
        service.stand_in.pass(std::time::Duration::from_mins(1));
        let listed = format!("{}/vector_stores/{}/files", service.stand_in.base_url(), service.store_id);
        for _ in 0..3 {
            reqwest::Client::new().get(&listed).bearer_auth(service.stand_in.key()).send().await.unwrap();
        }
        service.stand_in.clear_log();
        service
    }

    pub async fn usual() -> Self {
        let exchanges = include_str!("../../data/returns/exchanges.md");
        Self::with(&[
            ("refunds.txt", "returns/refunds.pdf", REFUNDS),
            ("exchanges.md", "returns/exchanges.md", exchanges),
        ])
        .await
    }

    fn request(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.stand_in.base_url());
        reqwest::Client::new().post(url).bearer_auth(self.stand_in.key())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.request(path).json(&body).send().await.unwrap().json().await.unwrap()
    }

    pub fn says(&self, answer: ScriptedAnswer) {
        self.stand_in.script_answer(answer);
    }

    /// The file of this number, cited.
    pub fn cited(&self, number: usize) -> Cited {
        let (id, filename) = self.files[number].clone();
        Cited::File { id, filename }
    }

    /// An answer from the first file.
    pub fn answer(&self) -> ScriptedAnswer {
        ScriptedAnswer::text(ANSWER).citing(self.cited(0), 61)
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("OPENAI_BASE_URL", self.stand_in.base_url()),
            ("OPENAI_API_KEY", self.stand_in.key().to_owned()),
            ("VECTOR_STORE_ID", self.store_id.clone()),
            ("LOG_FORMAT", "json".to_owned()),
        ]
    }

    pub fn sandbox(&self) -> Sandbox {
        let sandbox =
            self.variables().into_iter().fold(Sandbox::new(), |sandbox, (name, value)| sandbox.env(name, value));
        sandbox
            .file("data/returns/refunds.pdf", include_bytes!("../../data/returns/refunds.pdf"))
            .file("data/returns/exchanges.md", include_str!("../../data/returns/exchanges.md"))
    }

    /// A bot over the sample's documents; `auto` takes this backend.
    pub fn bot(&self, more: &[(&'static str, &str)]) -> (TestBot, Sandbox) {
        let sandbox = self.sandbox();
        let mut variables = self.variables();
        variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        (TestBot::start_with(&sandbox.path(""), &["--format", "json"], &variables), sandbox)
    }

    /// Bodies of the requests for answers.
    pub fn bodies(&self) -> Vec<Value> {
        self.stand_in.log().into_iter().filter(|call| call.path == "/responses").map(|call| call.body).collect()
    }
}

fn progress(streamed: &Streamed) -> Vec<&str> {
    let events = streamed.events.iter().filter(|event| event["type"] == "progress_update");
    events.filter_map(|event| event["text"].as_str()).collect()
}

fn user_message(streamed: &Streamed) -> String {
    let is_it = |event: &&Value| event["type"] == "thread.item.done" && event["item"]["type"] == "user_message";
    streamed.events.iter().find(is_it).unwrap()["item"]["id"].as_str().unwrap().to_owned()
}

/// M5: what the service is sent holds neither a key nor who asks.
#[tokio::test]
async fn an_answer_is_cited_by_page_and_heading_and_remembered() {
    let service = Service::usual().await;
    let (bot, _sandbox) = service.bot(&[]);
    let mut client = bot.client();
    service.says(service.answer());
    let first = client.create(QUESTION).await;
    assert_eq!(first.text, ANSWER, "{first:?}");
    assert_eq!((first.annotations.len(), &first.annotations[0]["index"]), (1, &json!(61)));
    assert!(progress(&first).contains(&"Reading what was found"), "{first:?}");
    let path = format!("/knowledge/threads/{}/citations", first.thread_id);
    let cited: Value = client.get(&path).await.json().await.unwrap();
    let cited = &cited["citations"][0];
    assert_eq!(
        (&cited["filename"], &cited["page"], &cited["located"]),
        (&json!("refunds.pdf"), &json!(1), &json!(null))
    );
    assert!(cited["quote"].as_str().unwrap().contains("we start the refund"), "{cited}");
    // Both meanings of an index, and a place named by its heading.
    let exchange = "The reservation lapses after 10 days.";
    service.says(ScriptedAnswer::text(exchange).citing(service.cited(1), 36).index(IndexMeaning::ListIndex));
    let second = client.add(&first.thread_id, "When does the reservation of an exchange lapse?").await;
    assert_eq!((second.text.as_str(), &second.annotations[0]["index"]), (exchange, &json!(37)), "{second:?}");
    let cited: Value = client.get(&path).await.json().await.unwrap();
    let cited = &cited["citations"][0];
    assert_eq!((&cited["filename"], &cited["heading"]), (&json!("exchanges.md"), &json!("How to do it")), "{cited}");
    // M5: the conversation goes along, and neither key nor visitor does.
    let body = service.bodies().pop().unwrap();
    let said: Vec<&str> =
        body["input"].as_array().unwrap().iter().filter_map(|turn| turn["content"].as_str()).collect();
    assert_eq!(said[..2], [QUESTION, ANSWER]);
    assert_eq!(body["store"], false);
    assert!(body["safety_identifier"].as_str().is_some_and(|name| name.len() == 32), "{body}");
    let (_, log) = bot.terminate();
    assert!(!log.contains(service.stand_in.key()) && !log.contains("refund on the day"), "{log}");
    assert!(!body.to_string().contains(service.stand_in.key()));
}

/// M6: a caller who names a model and a tool gets the operator's.
#[tokio::test]
async fn m6_the_model_is_the_operators_whatever_a_caller_asks_for() {
    let service = Service::usual().await;
    let (bot, _sandbox) = service.bot(&[]);
    service.says(service.answer());
    let mut input = message(QUESTION);
    input["inference_options"] = json!({ "model": "gpt-6-astra", "tool_choice": { "id": "web_search" } });
    let response = bot.client().send("threads.create", json!({ "input": input })).await.unwrap();
    assert_eq!(read_stream(response, String::new()).await.text, ANSWER);
    let body = service.bodies().pop().unwrap();
    assert_eq!((&body["model"], body.get("tool_choice")), (&json!("gpt-6-luna"), None), "{body}");
}

/// M3: what our text does not have is named without a place, marked so and counted; what was not found is left out.
#[tokio::test]
async fn citations_without_a_place_say_so() {
    let newer = "Moonlight refunds are paid in seashells by the harbour master before breakfast.";
    let service = Service::with(&[
        ("refunds.txt", "returns/refunds.pdf", newer),
        ("tides.txt", "harbour/tides.md", "Moonlight refunds follow the tides of the harbour."),
    ])
    .await;
    let (bot, _sandbox) = service.bot(&[("OPS_ADDR", "127.0.0.1:0")]);
    let none = Cited::File { id: "file-none".to_owned(), filename: "none.md".to_owned() };
    let text = "Moonlight refunds are paid in seashells. They follow tides.";
    let answer = ScriptedAnswer::text(text).citing(service.cited(0), 39).citing(service.cited(1), 58).citing(none, 58);
    service.says(answer);
    let mut client = bot.client();
    let streamed = client.create("Are moonlight refunds paid in seashells by the harbour master?").await;
    assert_eq!((streamed.text.as_str(), streamed.annotations.len()), (text, 2), "{streamed:?}");
    assert_eq!(streamed.annotations[0]["source"]["description"], "The place in the document is not known.");
    let path = format!("/knowledge/threads/{}/citations", streamed.thread_id);
    let body: Value = client.get(&path).await.json().await.unwrap();
    let (known, unknown) = (&body["citations"][0], &body["citations"][1]);
    assert_eq!(
        (&known["filename"], &known["page"], &known["located"]),
        (&json!("refunds.pdf"), &json!(null), &json!(false))
    );
    assert_eq!((&unknown["filename"], &unknown["document_id"]), (&json!("tides.md"), &json!(null)), "{body}");
    assert_eq!(body["documentIds"].as_array().unwrap().len(), 1);
    // The preview opens at the document's start.
    let preview = format!("/knowledge/documents/{}/preview", known["document_id"].as_str().unwrap());
    assert_eq!(client.get(&preview).await.status(), 200);
    let metrics = reqwest::get(format!("{}/metrics", bot.ops_url.as_ref().unwrap())).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("chatbotctl_citations_unlocated_total 2"), "{metrics}");
    assert!(metrics.contains("chatbotctl_dropped_markers_total 1"), "{metrics}");
}

/// What a reader is told: the code of the error, and whether trying again may help.
type Told = (&'static str, bool);

const FAILED: Told = ("stream.error", true);
const PASSING: Told = ("custom", true);
const FINAL: Told = ("custom", false);

/// The line of the log about this failure, counted from 1.
fn nth_failure(log: &str, number: usize) -> Option<String> {
    log.lines().filter(|line| line.contains("an answer failed")).nth(number - 1).map(str::to_owned)
}

/// M8: whatever the service does, the stream ends with an error event of its kind, the visitor's message stays, the
/// operator finds cause and request, and a retry answers.
#[tokio::test]
async fn every_failure_ends_as_an_error_and_a_retry_answers() {
    let service = Service::usual().await;
    let (bot, _sandbox) = service.bot(&[]);
    let status = |code: u16, body: ErrorBody| Act::Status { code, body, hints: Vec::new() };
    let ends = |ending: Ending| ScriptedAnswer::empty().ending(ending);
    let failed = |code: &str| ends(Ending::Failed(code.to_owned()));
    let scripted = [
        (PASSING, "model_slow", "vector_store_timeout", failed("vector_store_timeout")),
        (FAILED, "model_failed", "server_error", failed("server_error")),
        (PASSING, "model_busy", "rate_limit_exceeded", failed("rate_limit_exceeded")),
        (
            FAILED,
            "model_failed",
            "",
            ScriptedAnswer::text(ANSWER).ending(Ending::ErrorEvent("server_error".to_owned())),
        ),
        (FINAL, "model_declined", "", ScriptedAnswer::refuse("I would rather not.")),
        (
            FINAL,
            "model_declined",
            "content_filter",
            service.answer().ending(Ending::Incomplete("content_filter".to_owned())),
        ),
        (FAILED, "model_failed", "empty", ScriptedAnswer::empty()),
    ];
    let acts = [
        (FAILED, "model_failed", "HTTP 500", status(500, ErrorBody::Json)),
        (FAILED, "model_failed", "HTTP 502", status(502, ErrorBody::Html)),
        (PASSING, "model_busy", "HTTP 503", status(503, ErrorBody::Empty)),
        (PASSING, "model_busy", "HTTP 429", Act::RateLimited { retry_after: Some(3600) }),
        (FINAL, "model_refused", "nothing left", Act::NoQuota),
        (FINAL, "model_refused", "OPENAI_API_KEY", Act::WrongKey),
        (FINAL, "model_refused", "VECTOR_STORE_ID", status(404, ErrorBody::Plain)),
        (FAILED, "model_failed", "connection", Act::ResetBefore),
        (FAILED, "model_failed", "broke off", Act::TruncatedStream { after: 4 }),
    ];
    let scripted = scripted.into_iter().map(|(told, code, cause, answer)| (told, code, cause, Err(answer)));
    let acts = acts.into_iter().map(|(told, code, cause, act)| (told, code, cause, Ok(act)));
    for (failures, (told, code, cause, way)) in (1..).zip(acts.chain(scripted)) {
        let name = format!("{code}, {cause}: {way:?}");
        match way {
            Ok(act) => service.stand_in.fail(Fault::on("POST", "/responses", act)),
            // As often as an answer is tried.
            Err(answer) if told == FINAL || code == "model_slow" => service.says(answer),
            Err(answer) => service.says(answer.calls(3)),
        }
        let mut client = bot.client();
        let failed = client.create(QUESTION).await;
        let last = failed.events.last().unwrap();
        assert_eq!((last["type"].as_str(), last["code"].as_str()), (Some("error"), Some(told.0)), "{name}: {last}");
        assert_eq!(last["allow_retry"], told.1, "{name}");
        assert!(failed.text.is_empty() && !format!("{failed:?}").contains(service.stand_in.key()), "{name}");
        let logged = bot.wait_for(|log| nth_failure(log, failures)).await;
        assert!(logged.contains(cause), "{name}: {logged}");
        service.stand_in.heal();
        service.says(service.answer());
        let params = json!({ "thread_id": failed.thread_id, "item_id": user_message(&failed) });
        let response = client.send("threads.retry_after_item", params).await.unwrap();
        let answered = read_stream(response, failed.thread_id.clone()).await;
        assert_eq!(answered.text, ANSWER, "{name}: {answered:?}");
    }
    let (_, log) = bot.terminate();
    assert!(!log.contains(service.stand_in.key()) && !log.contains(QUESTION) && !log.contains(ANSWER), "{log}");
    assert!(log.contains("request req_"), "the service's own id helps its support");
}

/// M10: nothing found or nothing cited is no answer.
#[tokio::test]
async fn what_cites_nothing_is_not_told() {
    let service = Service::usual().await;
    let (bot, _sandbox) = service.bot(&[]);
    service.says(ScriptedAnswer::text("Paris is the capital of France."));
    let streamed = bot.client().create("What is the capital of France?").await;
    assert!(streamed.text.contains("could not find") && streamed.annotations.is_empty(), "{streamed:?}");
    assert!(!format!("{streamed:?}").contains("Paris"));
}

/// M8: the documents' own sentences, labelled, where the operator wants that; not in place of what the model declines.
#[tokio::test]
async fn another_backend_answers_when_the_service_fails() {
    let service = Service::usual().await;
    let (bot, sandbox) = service.bot(&[("MODEL_FALLBACK", "extractive")]);
    service.stand_in.fail(Fault::on("POST", "/responses", Act::NoQuota));
    let fallen = bot.client().create("How long may an exchange be requested after delivery?").await;
    assert!(fallen.text.contains("60 days") && !fallen.annotations.is_empty(), "{fallen:?}");
    let is_notice =
        |event: &Value| event["type"] == "notice" && event["message"].to_string().contains("quotes the documents");
    assert!(fallen.events.iter().any(is_notice), "{fallen:?}");
    let sandbox = sandbox.env("MODEL_FALLBACK", "extractive");
    sandbox
        .run(["ask", "How long may an exchange be requested after delivery?"])
        .code(0)
        .says("60 days")
        .warns("own sentences");
    service.stand_in.heal();
    service.says(ScriptedAnswer::refuse("No."));
    let declined = bot.client().create(QUESTION).await;
    assert_eq!(declined.events.last().unwrap()["type"], "error", "{declined:?}");
}

/// M8: who leaves ends the work behind the answer.
#[tokio::test]
async fn a_hang_up_ends_the_answer() {
    let service = Service::usual().await;
    let (bot, _sandbox) = service.bot(&[]);
    let long = format!("{ANSWER} {}", "And so on. ".repeat(40));
    service.says(ScriptedAnswer::text(&long).citing(service.cited(0), 61));
    service.stand_in.fail(Fault::on("POST", "/responses", Act::StalledStream { after: 60 }));
    let params = json!({ "input": message(QUESTION) });
    let mut response = bot.client().send("threads.create", params).await.unwrap();
    let mut heard = String::new();
    while !heard.contains("We start") {
        heard.push_str(&String::from_utf8_lossy(&response.chunk().await.unwrap().unwrap()));
    }
    drop(response);
    bot.logged(|line| line.to_string().contains("hung_up")).await;
}

#[tokio::test]
async fn the_commands_talk_to_it_too() {
    let service = Service::usual().await;
    let sandbox = service.sandbox();
    service.says(service.answer());
    sandbox.run(["ask", QUESTION]).code(0).says("is checked. [1]").says("returns/refunds.pdf, page 1");
    service.says(service.answer());
    let reply = sandbox.run(["ask", QUESTION, "--format", "json"]).code(0).json();
    assert_eq!(
        (&reply["citations"][0]["locator"]["page"], &reply["citations"][0]["located"]),
        (&json!(1), &json!(true))
    );
    service.says(service.answer());
    let mut chat =
        sandbox.command(["chat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    chat.stdin.take().unwrap().write_all(format!("{QUESTION}\nthanks\n").as_bytes()).unwrap();
    let output = chat.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("is checked. [1]") && said.contains("You are welcome"), "{said}");
    let wrong = sandbox.env("OPENAI_API_KEY", "sk-another-sentinel").run(["ask", QUESTION]).code(4);
    assert!(
        wrong.stderr().contains("fix: correct OPENAI_API_KEY") && !wrong.text().contains("another-sentinel"),
        "{}",
        wrong.stderr()
    );
}

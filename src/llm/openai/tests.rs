//! The backend against the stand-in of the service, with little patience.

use bytes::Bytes;
use futures_util::StreamExt as _;
use openai_stand_in::{Act, Cited, Ending, ErrorBody, Fault, IndexMeaning, Rules, ScriptedAnswer, StandIn};
use serde_json::{Value, json};

use super::*;
use crate::config::settings::{ModelBackend, OpenAiSettings};
use crate::llm::Exchange;
use crate::llm::tests::hit;
use crate::model::Found;
use crate::openai::file::{Body, Upload};
use crate::openai::vector_store::{Attachment, Attribute, FileStatus, StoreChange};
use crate::openai::{ErrorKind, FailedCall};
use crate::secret::Secret;

const QUESTION: &str = "How long do refunds take?";
const RETURNS: &str = "# Returns\n\nRefunds reach your card within five working days. Gift cards take one day.\n";
const ANSWER: &str = "Refunds take five working days. Gift cards take one day.";

struct Bench {
    service: StandIn,
    model: OpenAi,
}

/// What a reader got.
#[derive(Debug, Default)]
struct Outcome {
    text: String,
    cited: Vec<(usize, Option<String>, usize)>,
    attached: Vec<usize>,
    found: Vec<Found>,
    progress: Vec<String>,
    retries: usize,
    invented: usize,
    refused: bool,
    used: Usage,
    error: Option<LlmError>,
}

impl Outcome {
    fn code(&self) -> &'static str {
        self.error.as_ref().map_or("", LlmError::code)
    }

    fn places(&self) -> Vec<usize> {
        self.cited.iter().map(|(_, _, at)| *at).collect()
    }

    fn take(&mut self, event: Result<ModelEvent, LlmError>) {
        match event {
            Ok(ModelEvent::Text(text)) => self.text.push_str(&text),
            Ok(ModelEvent::CiteFound { found, quote, at }) => self.cited.push((found, quote, at)),
            Ok(ModelEvent::Cite { hit, .. }) => self.attached.push(hit),
            Ok(ModelEvent::Found(found)) => self.found.extend(found),
            Ok(ModelEvent::Beside(Beside::Progress { text, .. })) => self.progress.push(text),
            Ok(ModelEvent::Beside(Beside::Retrying)) => self.retries += 1,
            Ok(ModelEvent::InventedMarker) => self.invented += 1,
            Ok(ModelEvent::Refused) => self.refused = true,
            Ok(ModelEvent::Used(used)) => self.used = used,
            Ok(other) => panic!("{other:?}"),
            Err(error) => self.error = Some(error),
        }
    }
}

impl Bench {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With settings changed so.
    async fn with(change: impl FnOnce(&mut HostedSettings)) -> Self {
        let service = StandIn::start_with(Rules::default()).await;
        let openai = OpenAiSettings {
            base_url: service.base_url(),
            api_key: Some(Secret::new(service.key())),
            uploads_per_minute: 1000,
            store_writes_per_minute: 300,
            attached_per_minute: 2000,
            ..OpenAiSettings::default()
        };
        let client = Client::new(openai.clone()).unwrap();
        let vector_store_id = client.create_store(&StoreChange::default()).await.unwrap().id;
        fill(&client, &vector_store_id).await;
        let mut hosted = HostedSettings {
            openai,
            vector_store_id,
            ranker: "auto",
            moderation_model: "omni-moderation-latest".to_owned(),
            ..HostedSettings::default()
        };
        change(&mut hosted);
        let chat = ChatSettings {
            model: "gpt-6-luna".to_owned(),
            temperature: 0.5,
            context_tokens: 4000,
            max_tokens: 500,
            ..ChatSettings::default()
        };
        let settings = AssistantSettings {
            name: "Ada".to_owned(),
            backend: ModelBackend::OpenAi,
            max_search_results: 5,
            stub_delta_ms: 0,
            chat,
            hosted,
        };
        service.clear_log();
        Self { service, model: OpenAi::with_patience(&settings, patience(30_000)).unwrap() }
    }

    fn impatient(mut self) -> Self {
        let model = Arc::get_mut(&mut self.model.0).unwrap();
        model.client = Client::with_patience(&model.hosted.openai, patience(400).of_client(1)).unwrap();
        self
    }

    fn says(self, answer: ScriptedAnswer) -> Self {
        self.service.script_answer(answer.calls(9));
        self
    }

    fn fails(self, act: Act) -> Self {
        self.service.fail(Fault::on("POST", "/responses", act));
        self
    }

    async fn ask(&self) -> Outcome {
        self.ask_about(ChatRequest { question: QUESTION.to_owned(), ..ChatRequest::default() }).await
    }

    async fn ask_about(&self, request: ChatRequest) -> Outcome {
        let mut events = self.model.stream(request);
        let mut outcome = Outcome::default();
        while let Some(event) = events.next().await {
            outcome.take(event);
        }
        outcome
    }

    /// Bodies of the requests for answers.
    fn bodies(&self) -> Vec<Value> {
        self.service.log().into_iter().filter(|call| call.path == "/responses").map(|call| call.body).collect()
    }
}

fn patience(millis: u64) -> Patience {
    let wait = Duration::from_millis(millis);
    Patience { first: wait, next: wait, all: Duration::from_mins(1) }
}

async fn fill(client: &Client, store_id: &str) {
    let body = Body::Bytes(Bytes::from_static(RETURNS.as_bytes()));
    let upload = Upload { filename: "returns.md".to_owned(), mime_type: "text/markdown", body };
    let file = client.upload(&upload).await.unwrap();
    let text = |text: &str| Attribute::Text(text.to_owned());
    let attributes =
        [("document_id", text("returns")), ("path", text("returns.md")), ("restricted", Attribute::Flag(false))];
    let attributes = attributes.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    client
        .attach(store_id, &Attachment { file_id: file.id.clone(), attributes, chunking_strategy: None })
        .await
        .unwrap();
    for _ in 0..5 {
        if client.store_file(store_id, &file.id).await.unwrap().status == FileStatus::Completed {
            return;
        }
    }
    panic!("the file is not indexed");
}

fn answer() -> ScriptedAnswer {
    ScriptedAnswer::text(ANSWER).citing(Cited::Hit(0), 31).citing(Cited::Hit(0), 56)
}

#[tokio::test]
async fn an_answer_is_streamed_with_the_pieces_that_support_it() {
    let bench = Bench::new().await.says(answer().with_reasoning());
    let visitor = Some("v1".to_owned());
    let request = ChatRequest { question: QUESTION.to_owned(), visitor, ..ChatRequest::default() };
    let outcome = bench.ask_about(request).await;
    assert_eq!((outcome.text.as_str(), outcome.code()), (ANSWER, ""), "{outcome:?}");
    let quote = |text: &str| Some(text.to_owned());
    let cited = [
        (0, quote("Refunds reach your card within five working days."), 31),
        (0, quote("Gift cards take one day."), 56),
    ];
    assert_eq!(outcome.cited, cited);
    assert_eq!(
        (outcome.found[0].document_id.as_deref(), outcome.found[0].path.as_deref()),
        (Some("returns"), Some("returns.md"))
    );
    assert_eq!(outcome.progress, ["Searching the documents", "Reading what was found", "Writing the answer"]);
    let used = &outcome.used;
    assert!(used.requests == 1 && used.searches == 1 && used.input_tokens > 0 && used.reasoning_tokens > 0, "{used:?}");
    let body = &bench.bodies()[0];
    assert!(body["instructions"].as_str().unwrap().starts_with("You are Ada, "), "{body}");
    assert_eq!((&body["store"], &body["safety_identifier"]), (&json!(false), &json!("v1")));
    assert_eq!(body["tools"][0]["filters"], json!({ "type": "ne", "key": "restricted", "value": true }));
    assert_eq!(body.get("temperature"), None, "this model thinks");
    assert_eq!(bench.bodies().len(), 1);
}

/// M7: each search is billed, so a model that never has enough is stopped; and what an answer may write is bounded.
#[tokio::test]
async fn m7_an_answer_has_a_bound_of_searches_and_of_tokens() {
    let bench = Bench::new().await.says(answer().searching(50));
    let outcome = bench.ask().await;
    assert_eq!((outcome.text.as_str(), outcome.used.searches), (ANSWER, MAX_SEARCHES), "{outcome:?}");
    let body = &bench.bodies()[0];
    assert_eq!((&body["max_tool_calls"], &body["max_output_tokens"]), (&json!(MAX_SEARCHES), &json!(500)));
}

/// M3: what is cited was found in this turn; both meanings of an annotation's index end behind what they support.
#[tokio::test]
async fn citations_stand_where_they_belong_and_name_what_was_found() {
    let listed = Bench::new().await.says(answer().index(IndexMeaning::ListIndex)).ask().await;
    assert_eq!((listed.text.as_str(), listed.places()), (ANSWER, vec![56]), "the same file once at a place");
    let beyond = ScriptedAnswer::text(ANSWER)
        .citing(Cited::Hit(0), 31)
        .citing(Cited::Hit(0), 31)
        .citing(Cited::Hit(0), 56)
        .citing(Cited::Hit(0), 999);
    assert_eq!(Bench::new().await.says(beyond).ask().await.places(), [31, 56]);
    let none = Cited::File { id: "file-none".to_owned(), filename: "none.md".to_owned() };
    let invented = Bench::new().await.says(ScriptedAnswer::text(ANSWER).citing(none.clone(), 31)).ask().await;
    assert_eq!((invented.invented, invented.refused, invented.cited.len()), (1, true, 0), "{invented:?}");
    let both =
        Bench::new().await.says(ScriptedAnswer::text(ANSWER).citing(none, 31).citing(Cited::Hit(0), 56)).ask().await;
    assert_eq!((both.text.as_str(), both.invented, both.places()), (ANSWER, 1, vec![56]));
    let parts =
        ScriptedAnswer::text("Five days.").citing(Cited::Hit(0), 10).and_text("Or one 🦀.").citing(Cited::Hit(0), 9);
    let parts = Bench::new().await.says(parts).ask().await;
    assert_eq!((parts.text.as_str(), parts.places()), ("Five days.\n\nOr one 🦀.", vec![10, 21]));
    let marks = ScriptedAnswer::text("Five days【4:0†returns.md】. More.").citing(Cited::Hit(0), 26);
    let marks = Bench::new().await.says(marks).ask().await;
    assert_eq!((marks.text.as_str(), marks.places()), ("Five days. More.", vec![9]));
}

/// M10: an answer without a source is not told.
#[tokio::test]
async fn nothing_is_answered_without_support() {
    let outcome = Bench::new().await.says(ScriptedAnswer::text("Paris, of course.")).ask().await;
    assert!(
        outcome.refused && outcome.text.contains("could not find") && !outcome.text.contains("Paris"),
        "{outcome:?}"
    );
    let bench = Bench::new().await;
    let thanks = bench.ask_about(ChatRequest { question: "Thanks!".to_owned(), ..ChatRequest::default() }).await;
    assert!(thanks.text.contains("welcome") && bench.service.log().is_empty(), "{thanks:?}");
}

/// M8: whatever comes around an answer changes nothing in it.
#[tokio::test]
async fn odd_streams_give_the_same_answer() {
    for act in [Act::DuplicatedEvents, Act::UnknownEvents, Act::SplitAnywhere] {
        let outcome = Bench::new().await.says(answer()).fails(act.clone()).ask().await;
        assert_eq!((outcome.text.as_str(), outcome.places()), (ANSWER, vec![31, 56]), "{act:?}");
    }
}

/// M8: every way to end badly is an error of its kind, tried again only where that may help.
#[tokio::test]
async fn answers_that_end_badly_end_as_errors() {
    let failed = |code: &str| answer().ending(Ending::Failed(code.to_owned()));
    let incomplete = |reason: &str| answer().ending(Ending::Incomplete(reason.to_owned()));
    let cases = [
        ("model_slow", 0, ScriptedAnswer::empty().ending(Ending::Failed("vector_store_timeout".to_owned()))),
        ("model_failed", 2, ScriptedAnswer::empty().ending(Ending::Failed("server_error".to_owned()))),
        ("model_busy", 2, ScriptedAnswer::empty().ending(Ending::Failed("rate_limit_exceeded".to_owned()))),
        ("model_failed", 0, failed("server_error")),
        ("model_failed", 2, ScriptedAnswer::text(ANSWER).ending(Ending::ErrorEvent("server_error".to_owned()))),
        ("model_declined", 0, incomplete("content_filter")),
        ("model_declined", 0, ScriptedAnswer::refuse("I would rather not.")),
        ("model_failed", 2, ScriptedAnswer::empty()),
    ];
    let asked = cases.into_iter().map(async |(code, retries, answer)| {
        let told = format!("{answer:?}");
        (code, retries, told, Bench::new().await.says(answer).ask().await)
    });
    for (code, retries, told, outcome) in futures_util::future::join_all(asked).await {
        assert_eq!((outcome.code(), outcome.retries), (code, retries), "{told}: {outcome:?}");
        let error = outcome.error.unwrap().to_string();
        assert!(error.contains("request ") && !error.contains("refunds"), "{error}");
    }
    let cut = Bench::new().await.says(incomplete("max_output_tokens").index(IndexMeaning::ListIndex)).ask().await;
    assert!(cut.refused || cut.text.ends_with(" …"), "{cut:?}");
    let long = format!("{ANSWER} {}", "And so on. ".repeat(12));
    let long = ScriptedAnswer::text(&long).citing(Cited::Hit(0), 31);
    let cut = Bench::new().await.says(long.ending(Ending::Incomplete("max_output_tokens".to_owned()))).ask().await;
    assert!(cut.text.starts_with("Refunds take five working days.") && cut.text.ends_with(" …"), "{cut:?}");
    assert!(cut.used.output_tokens > 0);
}

/// M8: every fault of the service or of the way to it.
#[tokio::test]
async fn faults_end_as_errors() {
    let status = |code: u16, body: ErrorBody| Act::Status { code, body, hints: Vec::new() };
    let cases = [
        ("model_failed", 2, status(500, ErrorBody::Json)),
        ("model_failed", 2, status(502, ErrorBody::Html)),
        ("model_busy", 2, status(503, ErrorBody::Empty)),
        ("model_busy", 2, Act::RateLimited { retry_after: None }),
        ("model_busy", 0, Act::RateLimited { retry_after: Some(3600) }),
        ("model_refused", 0, Act::NoQuota),
        ("model_refused", 0, Act::WrongKey),
        ("model_refused", 0, status(404, ErrorBody::Plain)),
        ("model_failed", 2, Act::ResetBefore),
        ("model_failed", 2, Act::TruncatedStream { after: 4 }),
        ("model_failed", 2, Act::ResetStream { after: 4 }),
        ("model_slow", 0, Act::StalledStream { after: 4 }),
        ("model_slow", 0, Act::Stall(Duration::from_secs(20))),
    ];
    let asked = cases.into_iter().map(async |(code, retries, act)| {
        let bench = Bench::new().await.says(answer()).fails(act.clone());
        let bench = if code == "model_slow" { bench.impatient() } else { bench };
        let outcome = bench.ask().await;
        (code, retries, act, outcome, bench)
    });
    for (code, retries, act, outcome, bench) in futures_util::future::join_all(asked).await {
        assert_eq!(
            (outcome.code(), outcome.retries, outcome.text.as_str()),
            (code, retries, ""),
            "{act:?}: {outcome:?}"
        );
        let error = outcome.error.unwrap().to_string();
        assert!(!error.contains(bench.service.key()) && !error.contains("refunds"), "{error}");
        bench.service.heal();
        assert_eq!(bench.ask().await.text, ANSWER, "{act:?}: and then it answers");
    }
}

/// M8: once something was told, nothing is tried again.
#[tokio::test]
async fn a_told_answer_is_not_begun_again() {
    let long = format!("{ANSWER} {}", "And so on. ".repeat(40));
    let bench = Bench::new().await.says(ScriptedAnswer::text(&long).citing(Cited::Hit(0), 31));
    let outcome = bench.fails(Act::TruncatedStream { after: 40 }).ask().await;
    assert!(outcome.text.starts_with("Refunds take") && outcome.retries == 0, "{outcome:?}");
    assert_eq!(outcome.code(), "model_failed");
}

/// M8: where the store or the model is gone, the operator is told what to look at.
#[tokio::test]
async fn a_store_or_model_that_is_gone_is_named() {
    let store = Bench::with(|hosted| hosted.vector_store_id = "vs_gone".to_owned()).await.ask().await;
    assert!(store.error.as_ref().is_some_and(|error| error.to_string().contains("VECTOR_STORE_ID")), "{store:?}");
    let mut bench = Bench::new().await;
    Arc::get_mut(&mut bench.model.0).unwrap().chat.model = "gpt-none".to_owned();
    let model = bench.ask().await;
    assert!(model.error.as_ref().is_some_and(|error| error.to_string().contains("ASSISTANT_MODEL")), "{model:?}");
}

#[tokio::test]
async fn refused_parameters_are_left_out_and_remembered() {
    let mut bench = Bench::new().await.says(answer());
    Arc::get_mut(&mut bench.model.0).unwrap().dialect = Dialect::default();
    assert_eq!(bench.ask().await.text, ANSWER);
    assert_eq!(bench.ask().await.retries, 0);
    let sent: Vec<bool> = bench.bodies().iter().map(|body| body.get("temperature").is_some()).collect();
    assert_eq!(sent, [true, false, false]);
}

/// What was found may not be told: then the store is asked whose file it is.
#[tokio::test]
async fn files_without_results_are_looked_up() {
    let bench = Bench::new().await.says(answer());
    let refusal = FailedCall::new("POST /responses", ErrorKind::Refused, "unknown");
    let refusal = FailedCall { param: Some("include".to_owned()), ..refusal };
    assert!(bench.model.0.dialect.learn(&refusal.into(), 0));
    let outcome = bench.ask().await;
    assert_eq!(outcome.places(), [31, 56], "{outcome:?}");
    assert_eq!((outcome.found[0].path.as_deref(), outcome.found[0].text.as_str()), (Some("returns.md"), ""));
    let look_ups = |bench: &Bench| bench.service.log().iter().filter(|call| call.method == "GET").count();
    bench.ask().await;
    assert_eq!(look_ups(&bench), 1, "it is remembered");
}

#[tokio::test]
async fn the_conversation_is_sent_and_attachments_are_numbered() {
    let bench = Bench::new().await.says(ScriptedAnswer::text("A lamp [1]. Not [2]."));
    let turn = |question: &str, answer: &str| Exchange { question: question.to_owned(), answer: answer.to_owned() };
    let request = ChatRequest {
        question: "What did I buy?".to_owned(),
        history: vec![turn("Hello?", "Hi."), turn("Are returns free?", "Yes.")],
        hidden: vec!["The visitor is in Ghent.".to_owned()],
        hits: vec![hit("A document."), hit("An invoice for a lamp.")],
        attached: vec![1],
        ..ChatRequest::default()
    };
    let outcome = bench.ask_about(request).await;
    assert_eq!((outcome.text.as_str(), outcome.attached.as_slice(), outcome.invented), ("A lamp. Not.", &[1][..], 1));
    let body = &bench.bodies()[0];
    let input: Vec<(&str, &str)> = body["input"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| (input["role"].as_str().unwrap(), input["content"].as_str().unwrap()))
        .collect();
    assert_eq!(
        input[..4],
        [("user", "Hello?"), ("assistant", "Hi."), ("user", "Are returns free?"), ("assistant", "Yes.")]
    );
    assert!(input[4].1.contains("invoice for a lamp") && !input[4].1.contains("A document."), "{input:?}");
    assert!(input[4].1.ends_with("Question: What did I buy?"));
    assert!(body["instructions"].as_str().unwrap().contains("in Ghent"));
}

/// M4: an address is linked only where it stands in what was found; pictures and tags are not told.
#[tokio::test]
async fn what_the_model_writes_is_made_harmless() {
    let text = "Five <img src=x> days, see [here](https://evil.example/?q=1).";
    let outcome = Bench::new().await.says(ScriptedAnswer::text(text).citing(Cited::Hit(0), 4)).ask().await;
    assert!(!outcome.text.contains("<img") && !outcome.text.contains("evil.example"), "{}", outcome.text);
}

/// M8: a flagged question is sent to no model; a flagged answer is told to nobody; without a verdict there is neither.
#[tokio::test]
async fn moderation_lets_through_only_what_it_saw() {
    let input = Bench::with(|hosted| hosted.moderates_input = true).await.says(answer());
    let flagged = input.ask_about(ChatRequest { question: "Say flag-me".to_owned(), ..ChatRequest::default() }).await;
    assert!(flagged.refused && flagged.text == UNWANTED && input.bodies().is_empty(), "{flagged:?}");
    assert_eq!(input.ask().await.text, ANSWER);
    let output = Bench::with(|hosted| hosted.moderates_output = true).await;
    let bad = ScriptedAnswer::text("Refunds take flag-me five days.").citing(Cited::Hit(0), 31);
    let output = output.says(bad);
    let flagged = output.ask().await;
    assert!(flagged.refused && flagged.text == UNWANTED && flagged.cited.is_empty(), "{flagged:?}");
    let fine = Bench::with(|hosted| hosted.moderates_output = true).await.says(answer()).ask().await;
    assert_eq!((fine.text.as_str(), fine.places()), (ANSWER, vec![31, 56]));
    for change in [
        |hosted: &mut HostedSettings| hosted.moderates_input = true,
        |hosted: &mut HostedSettings| hosted.moderates_output = true,
    ] {
        let bench = Bench::with(change).await.says(answer());
        bench.service.fail(Fault::on("POST", "/moderations", Act::NoQuota));
        let failed = bench.ask().await;
        assert_eq!((failed.code(), failed.text.as_str()), ("model_refused", ""), "{failed:?}");
    }
}

#[tokio::test]
async fn an_answer_nobody_reads_ends_with_its_request() {
    let long = format!("{ANSWER} {}", "And so on. ".repeat(40));
    let bench = Bench::new().await.says(ScriptedAnswer::text(&long).citing(Cited::Hit(0), 31));
    let bench = bench.fails(Act::StalledStream { after: 40 });
    let mut events = bench.model.stream(ChatRequest { question: QUESTION.to_owned(), ..ChatRequest::default() });
    while let Some(event) = events.next().await {
        if matches!(event, Ok(ModelEvent::Text(_))) {
            break;
        }
    }
    drop(events);
    assert_eq!(Arc::strong_count(&bench.model.0), 1, "the work ended with its stream");
}

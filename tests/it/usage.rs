//! What answers took, from the model's server to `usage`, and models that end.

use openai_stand_in::StandIn;
use serde_json::{Value, json};

use crate::bot::TestBot;
use crate::chat::server::{KEY, MODEL, Server};
use crate::sandbox::Sandbox;

const QUESTION: &str = "When do refunds reach my card?";
const RETURNS: &str = "# Returns\n\nRefunds reach your card within five working days. Gift cards take one day.\n";
/// What the stand-in counts for every answer: 1,000 tokens read, 400 of them cached, 20 written.
const NANOS: u64 = 600 * 2_000 + 400 * 500 + 20 * 8_000;
const PRICES: &str = "as_of: 2026-11-01\nmodels:\n  stand-in-1:\n    prices: { input: 2, cached: 0.5, output: 8 }\n";

fn sandbox(server: &Server) -> Sandbox {
    variables(server)
        .into_iter()
        .fold(Sandbox::new(), |sandbox, (name, value)| sandbox.env(name, value))
        .file("data/returns.md", RETURNS)
        .file("prices.yaml", PRICES)
}

fn variables(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("MODEL_BACKEND", "chat".to_owned()),
        ("ASSISTANT_MODEL", MODEL.to_owned()),
        ("OPENAI_BASE_URL", server.url.clone()),
        ("OPENAI_API_KEY", KEY.to_owned()),
        ("OPS_ADDR", "127.0.0.1:0".to_owned()),
    ]
}

fn start(sandbox: &Sandbox, server: &Server, more: &[(&str, &str)]) -> TestBot {
    let variables = variables(server);
    let mut all: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(more);
    TestBot::start_with(&sandbox.path(""), &["--format", "json"], &all)
}

async fn metrics(bot: &TestBot) -> String {
    let url = format!("{}/metrics", bot.ops_url.as_ref().unwrap());
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

fn usage(sandbox: &Sandbox, flags: &[&str]) -> Value {
    sandbox.run([&["usage", "--format", "json"], flags].concat()).code(0).json()
}

/// Read while the server runs and after it; by thread, model and day.
#[tokio::test]
async fn answers_are_recorded_and_shown_beside_the_running_server() {
    let server = Server::start();
    let sandbox = sandbox(&server);
    let bot = start(&sandbox, &server, &[("MODELS_FILE", "prices.yaml")]);
    let mut client = bot.client();
    let first = client.create(QUESTION).await;
    client.add(&first.thread_id, "And how long does it take?").await;
    let other = client.create(QUESTION).await;
    let by_thread = usage(&sandbox, &["--by", "thread"]);
    assert_eq!((&by_thread["schema"], &by_thread["has_database"]), (&json!("chatbotctl.usage/1"), &json!(true)));
    let rows = by_thread["rows"].as_array().unwrap();
    assert_eq!((&rows[0]["key"], &rows[0]["answers"]), (&json!(first.thread_id), &json!(2)), "{by_thread}");
    assert_eq!((&rows[1]["key"], &rows[1]["cost_nano_usd"]), (&json!(other.thread_id), &json!(NANOS)));
    let total = &by_thread["total"];
    assert_eq!((&total["input_tokens"], &total["cached_tokens"]), (&json!(3_000), &json!(1_200)), "{total}");
    assert_eq!((&total["output_tokens"], &total["cost_nano_usd"]), (&json!(60), &json!(3 * NANOS)));
    assert_eq!((&total["priced_from"], &total["priced_to"]), (&json!("2026-11-01"), &json!("2026-11-01")));
    let counted = metrics(&bot).await;
    for line in [
        "chatbotctl_tokens_total{kind=\"input\"} 3000",
        "chatbotctl_tokens_total{kind=\"cached\"} 1200",
        "chatbotctl_tokens_total{kind=\"output\"} 60",
        "chatbotctl_searches_total 0",
        "chatbotctl_cost_usd_total 0.00468",
    ] {
        assert!(counted.lines().any(|each| each == line), "{line} is not in\n{counted}");
    }
    client.call("threads.delete", json!({ "thread_id": first.thread_id })).await;
    let (_, log) = bot.terminate();
    assert!(!log.contains(QUESTION) && !log.contains(KEY), "{log}");
    let left = usage(&sandbox, &["--by", "thread"]);
    assert_eq!((&left["rows"][0]["key"], &left["rows"][0]["answers"]), (&Value::Null, &json!(2)), "{left}");
    assert_eq!(left["total"]["cost_nano_usd"], total["cost_nano_usd"], "the money stays");
    let shown = sandbox.run(["usage", "--by", "model"]).code(0).says(MODEL).says("$0.004680");
    assert!(shown.stdout().contains("by the prices of 2026-11-01"), "{}", shown.stdout());
    assert_eq!(usage(&sandbox, &["--until", "2026-01-01"])["rows"], json!([]), "before all of it");
    let lines = sandbox.run(["usage", "--format", "jsonl", "--since", "2026-01-01"]).code(0).stdout();
    let days: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(days.iter().map(|day| day["answers"].as_u64().unwrap()).sum::<u64>(), 3, "{lines}");
}

#[tokio::test]
async fn a_price_that_is_not_known_is_told_as_unknown() {
    let server = Server::start();
    let sandbox = sandbox(&server);
    let bot = start(&sandbox, &server, &[]);
    bot.client().create(QUESTION).await;
    assert!(metrics(&bot).await.contains("chatbotctl_unpriced_answers_total 1\n"));
    bot.terminate();
    let total = usage(&sandbox, &[])["total"].clone();
    assert_eq!((&total["answers"], &total["unpriced_answers"]), (&json!(1), &json!(1)));
    assert_eq!((&total["input_tokens"], &total["cost_usd"]), (&json!(1_000), &Value::Null), "{total}");
    sandbox.run(["usage"]).code(0).says("unknown").says("1 answer is not in the cost");
}

#[test]
fn without_a_database_nothing_was_recorded_and_none_is_made() {
    let sandbox = Sandbox::new();
    sandbox.run(["usage"]).code(0).says("no answers").warns("no database yet");
    let told = sandbox.run(["usage", "--format", "json"]).code(0).json();
    assert_eq!((&told["has_database"], &told["rows"]), (&json!(false), &json!([])));
    assert_eq!(std::fs::read_dir(sandbox.path("")).unwrap().count(), 0, "nothing is made");
    sandbox.run(["usage", "--since", "yesterday"]).code(2).warns("2026-11-30");
    sandbox.run(["usage", "--since", "2026-02-02", "--until", "2026-02-01"]).code(2).warns("later than");
    let sandbox = sandbox.file("photos.db", "this is a text, and long enough to be no database header");
    sandbox.env("DATABASE_URL", "sqlite:photos.db").run(["usage"]).code(3).warns("photos.db");
}

/// A server that refuses to count is not asked again, and its answers have no price.
#[test]
fn a_server_that_does_not_count_still_answers() {
    let server = Server::start();
    let sandbox = sandbox(&server);
    sandbox.run(["ask", &format!("{QUESTION} without:stream_options")]).code(0).says("within five working days");
    let body = server.bodies().pop().unwrap();
    assert_eq!((&body["stream"], body.get("stream_options")), (&json!(true), None));
}

fn in_days(days: i64) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    today.saturating_add(jiff::Span::new().days(days)).to_string()
}

fn ending(days: i64) -> String {
    format!("as_of: 2026-11-01\nmodels:\n  stand-in-1: {{ shutdown: {}, replacement: stand-in-2 }}\n", in_days(days))
}

#[tokio::test]
async fn a_model_that_ends_is_told_about_early() {
    let server = Server::start();
    for (days, level) in [(30, "WARN"), (-5, "ERROR")] {
        let sandbox = sandbox(&server).file("ends.yaml", ending(days)).env("MODELS_FILE", "ends.yaml");
        let date = in_days(days);
        sandbox.run(["env", "show"]).code(0).warns(&date).warns("ASSISTANT_MODEL=stand-in-2");
        let warnings = sandbox.run(["env", "show", "--format", "json"]).code(0).json()["warnings"].to_string();
        assert!(warnings.contains(&date), "{warnings}");
        sandbox.run(["ask", QUESTION]).code(0).says("five working days").warns(&date);
        let bot = start(&sandbox, &server, &[("MODELS_FILE", "ends.yaml")]);
        let line = bot.logged(|line| line.to_string().contains(&date)).await;
        assert_eq!(line["level"].as_str().map(str::to_uppercase).as_deref(), Some(level), "{line}");
        let counted = metrics(&bot).await;
        assert!(counted.contains("chatbotctl_model_days_left "), "{counted}");
    }
    let quiet = sandbox(&server).file("ends.yaml", ending(200)).env("MODELS_FILE", "ends.yaml");
    let shown = quiet.run(["env", "show"]).code(0);
    assert!(!shown.stderr().contains("ends on"), "{}", shown.stderr());
}

/// The service knows better than a file: its date is asked for beside the work.
#[tokio::test]
async fn the_services_own_date_is_told() {
    let service = StandIn::start().await;
    let url = service.base_url();
    let variables = [
        ("MODEL_BACKEND", "chat"),
        ("ASSISTANT_MODEL", "gpt-4.1-mini"),
        ("OPENAI_BASE_URL", url.as_str()),
        ("OPENAI_API_KEY", service.key()),
        ("MODELS_FILE", "late.yaml"),
    ];
    let late = "as_of: 2026-11-01\nmodels:\n  gpt-4.1-mini: { shutdown: 2099-01-01 }\n";
    let sandbox = Sandbox::new().file("data/returns.md", RETURNS).file("late.yaml", late);
    let bot = TestBot::start_with(&sandbox.path(""), &["--format", "json"], &variables);
    bot.logged(|line| line.to_string().contains("2027-01-14")).await;
    let asked = service.log();
    assert!(asked.iter().any(|call| call.path.ends_with("/models/gpt-4.1-mini")), "{asked:?}");
    assert!(!bot.log().contains(service.key()));
}

#[test]
fn a_file_of_facts_that_cannot_be_used_is_told_with_its_place() {
    let server = Server::start();
    let sandbox = sandbox(&server).file("bad.yaml", "as_of: 2026-11-01\nmodels:\n  a: { price: 1 }\n");
    let sandbox = sandbox.env("MODELS_FILE", "bad.yaml");
    for command in [&["env", "show"][..], &["ask", QUESTION], &["serve", "--port", "0"]] {
        sandbox.run(command).code(3).warns("bad.yaml:3:8").warns("unknown field `price`");
    }
}

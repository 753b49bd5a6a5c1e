//! The operators' side of a running server: what it tells, whom, and what can be changed without a restart.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::bot::{TestBot, message};
use crate::sandbox::Sandbox;

const LOCAL: (&str, &str) = ("OPS_ADDR", "127.0.0.1:0");
const TOKEN: &str = "0123456789abcdef0123456789abcdef-sentinel";
const JSON: &[&str] = &["--format", "json"];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let text = "# Returns\n\nRefunds reach your card within five working days.\n";
    fs::write(folder.path().join("data/returns.md"), text).unwrap();
    folder
}

fn start(folder: &Path, variables: &[(&str, &str)]) -> (TestBot, String) {
    let bot = TestBot::start_with(folder, JSON, variables);
    let ops = bot.ops_url.clone().unwrap();
    (bot, ops)
}

async fn ask(method: Method, url: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Response {
    let mut request = reqwest::Client::new().request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    request.send().await.unwrap()
}

async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn get(url: &str) -> Value {
    json(ask(Method::GET, url, &[], None).await).await
}

#[tokio::test]
async fn an_operator_sees_what_runs() {
    let folder = folder();
    let secret = ("OPENAI_API_KEY", "sk-sentinel-0123456789");
    let (bot, ops) = start(folder.path(), &[LOCAL, secret]);
    let version = get(&format!("{ops}/version")).await;
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&version["store"], &version["backend"]), (&json!("sqlite"), &json!("extractive")));
    for field in ["commit", "settings_fingerprint", "index_revision", "started_at"] {
        assert!(version[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {version}");
    }
    assert!(!version.to_string().contains("sentinel"), "{version}");
    let described = get(&format!("{ops}/openapi.json")).await;
    assert_eq!(described["openapi"], "3.1.0");
    for path in ["/nowhere", "/elsewhere"] {
        ask(Method::GET, &format!("{}{path}", bot.url), &[], None).await;
    }
    for (accept, content_type, end) in [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", "\n"),
        (
            "application/openmetrics-text; version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "# EOF\n",
        ),
    ] {
        let metrics = ask(Method::GET, &format!("{ops}/metrics"), &[("accept", accept)], None).await;
        assert_eq!(metrics.headers()["content-type"], content_type);
        let text = metrics.text().await.unwrap();
        assert!(text.contains("chatbotctl_documents 1\n") && text.ends_with(end), "{text}");
        assert!(text.contains("chatbotctl_errors_total{code=\"not_found\"} 2\n"), "{text}");
        assert!(!cfg!(target_os = "linux") || text.contains("process_resident_memory_bytes "), "{text}");
    }
    let lost = ask(Method::GET, &format!("{ops}/nothing"), &[], None).await;
    assert_eq!((lost.status(), json(lost).await["error"]["code"].clone()), (StatusCode::NOT_FOUND, json!("not_found")));
    let odd = ask(Method::DELETE, &format!("{ops}/version"), &[], None).await;
    assert_eq!(odd.status(), StatusCode::METHOD_NOT_ALLOWED);
    drop(bot);
    // Equal settings, equal fingerprint; a secret changes it like anything else.
    let (bot, ops) = start(folder.path(), &[LOCAL, secret]);
    let again = get(&format!("{ops}/version")).await;
    assert_eq!(again["settings_fingerprint"], version["settings_fingerprint"]);
    drop(bot);
    let (_bot, ops) = start(folder.path(), &[LOCAL, ("OPENAI_API_KEY", "sk-sentinel-9876543210")]);
    assert_ne!(get(&format!("{ops}/version")).await["settings_fingerprint"], version["settings_fingerprint"]);
}

/// H22, H23, A6: elsewhere than on the loopback a token is needed, and wrong ones are slowed with a true Retry-After.
#[tokio::test]
async fn a_token_guards_the_operators_side() {
    let folder = folder();
    let (bot, ops) = start(folder.path(), &[("OPS_ADDR", "0.0.0.0:0"), ("ADMIN_TOKEN", TOKEN)]);
    let bearer = format!("Bearer {TOKEN}");
    let version = format!("{ops}/version");
    for path in ["/version", "/metrics", "/openapi.json", "/log-level", "/reload", "/nothing"] {
        let refused = ask(Method::GET, &format!("{ops}{path}"), &[], None).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer "), "{path}");
    }
    assert_eq!(get(&format!("{ops}/ready")).await, json!({"status": "ready"}));
    let known = ask(Method::GET, &format!("{ops}/ready"), &[("authorization", &bearer)], None).await;
    assert_eq!(json(known).await["store"], "ok");
    // Many right ones are no excess; two at once are none.
    for _ in 0..30 {
        assert_eq!(ask(Method::GET, &version, &[("authorization", &bearer)], None).await.status(), StatusCode::OK);
    }
    let two = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(ask(Method::GET, &version, &two, None).await.status(), StatusCode::UNAUTHORIZED);
    let wrong = [("authorization", "Bearer wrong")];
    for _ in 0..10 {
        assert_eq!(ask(Method::GET, &version, &wrong, None).await.status(), StatusCode::UNAUTHORIZED);
    }
    let slowed = ask(Method::GET, &version, &wrong, None).await;
    assert_eq!(slowed.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = slowed.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
    // Nor are tokens tried over the page that needs none.
    let ready = ask(Method::GET, &format!("{ops}/ready"), &[("authorization", &bearer)], None).await;
    assert_eq!(json(ready).await, json!({"status": "ready"}));
    tokio::time::sleep(Duration::from_secs(wait)).await;
    let admitted = ask(Method::GET, &version, &[("authorization", &bearer)], None).await;
    assert_eq!(admitted.status(), StatusCode::OK, "the wait was true");
    assert!(!bot.terminate().1.contains("sentinel"), "the token is in the log");
}

/// H10, H16, A12: no page in a browser reads the operators' side or changes anything there.
#[tokio::test]
async fn a_page_in_a_browser_is_not_let_in() {
    let folder = folder();
    let (_bot, ops) = start(folder.path(), &[LOCAL, ("CORS_ORIGINS", "https://shop.example")]);
    let rebound = ask(Method::GET, &format!("{ops}/version"), &[("host", "evil.example")], None).await;
    assert_eq!(rebound.status(), StatusCode::MISDIRECTED_REQUEST);
    for origin in ["https://evil.example", "https://shop.example", "null"] {
        let forged = ask(Method::POST, &format!("{ops}/reload"), &[("origin", origin)], None).await;
        assert_eq!(forged.status(), StatusCode::FORBIDDEN, "{origin}");
        let read = ask(Method::GET, &format!("{ops}/version"), &[("origin", origin)], None).await;
        assert!(read.headers().keys().all(|name| !name.as_str().starts_with("access-control")), "{origin}");
        assert_eq!(read.headers()["cross-origin-resource-policy"], "same-origin");
        assert_eq!(read.headers()["cache-control"], "no-store");
    }
}

#[test]
fn a_taken_operations_port_is_told_before_anything_is_served() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = Sandbox::new().env("OPS_ADDR", &address).run(["serve", "--port", "0"]).code(5);
    assert!(run.stderr().contains(&address), "{}", run.stderr());
    assert_eq!(run.stdout(), "");
}

/// What changes without a restart changes, an answer that is on its way goes on, and the rest is named.
#[tokio::test]
async fn a_reload_changes_settings_and_drops_no_stream() {
    let folder = folder();
    let env = folder.path().join(".env");
    fs::write(&env, "MODEL_BACKEND=stub\nSTUB_DELTA_MS=40\nASSISTANT_NAME=Old\nAUTH_MODE=visitor\n").unwrap();
    let (bot, ops) = start(folder.path(), &[LOCAL]);
    let info = format!("{}/knowledge/info", bot.url);
    let chatkit = format!("{}/knowledge/chatkit", bot.url);
    let create = json!({"type": "threads.create", "params": {"input": message("When do refunds reach my card?")}});
    let mut answer = ask(Method::POST, &chatkit, &[], Some(&create)).await;
    let mut seen = String::new();
    while !seen.contains("text_delta") {
        seen += &String::from_utf8_lossy(&answer.chunk().await.unwrap().unwrap());
    }
    let before = get(&format!("{ops}/version")).await;
    let changed = "MODEL_BACKEND=extractive\nASSISTANT_NAME=New\nCORS_ORIGINS=https://shop.example\nLOG_LEVEL=debug\n\
                   AUTH_MODE=visitor\nDATABASE_URL=sqlite:other.db\nSERVER_PORT=1\n";
    fs::write(&env, changed).unwrap();
    let done = json(ask(Method::POST, &format!("{ops}/reload"), &[], None).await).await;
    let applied = ["ASSISTANT_NAME", "MODEL_BACKEND", "STUB_DELTA_MS", "CORS_ORIGINS", "LOG_LEVEL"];
    assert_eq!(done["applied"], json!(applied), "{done}");
    assert_eq!(done["needs_restart"], json!(["DATABASE_URL"]), "a flag sets the port: {done}");
    bot.logged(|line| line["settings"] == "DATABASE_URL" && line["level"] == "WARN").await;
    assert_eq!(get(&info).await["assistant_name"], "New");
    assert_eq!(get(&format!("{ops}/log-level")).await, json!({"level": "debug"}));
    let after = get(&format!("{ops}/version")).await;
    assert_eq!(after["backend"], "extractive");
    assert_ne!(after["settings_fingerprint"], before["settings_fingerprint"]);
    let allowed = ask(Method::GET, &info, &[("origin", "https://shop.example")], None).await;
    assert_eq!(allowed.headers()["access-control-allow-origin"], "https://shop.example");
    let mut rest = String::new();
    while let Some(more) = answer.chunk().await.unwrap() {
        rest += &String::from_utf8_lossy(&more);
    }
    assert!(rest.contains("text_delta"), "the answer was on its way during the reload: {seen}{rest}");
    assert!(!rest.contains("\"error\"") && rest.contains("thread.item.done"), "{rest}");
    // What is wrong changes nothing, and all of it is told, without a secret.
    let wrong = "ASSISTANT_NAME=Newer\nMAX_SEARCH_RESULTS=many\nLOG_LEVEL=loud\nVISITOR_KEY=sentinel\n";
    fs::write(&env, wrong).unwrap();
    let refused = ask(Method::POST, &format!("{ops}/reload"), &[], None).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = json(refused).await;
    assert_eq!(refused["error"]["code"], "invalid_settings");
    let problems = refused["problems"].to_string();
    assert!(["MAX_SEARCH_RESULTS", "LOG_LEVEL", "VISITOR_KEY"].iter().all(|key| problems.contains(key)), "{problems}");
    assert_eq!(get(&info).await["assistant_name"], "New");
    assert_eq!(get(&format!("{ops}/version")).await["settings_fingerprint"], after["settings_fingerprint"]);
    bot.logged(|line| line["problems"].as_str().is_some_and(|text| text.contains("LOG_LEVEL"))).await;
    assert!(!bot.log().contains("sentinel") && !problems.contains("sentinel"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_hangup_reloads_and_opens_the_log_anew() {
    let folder = folder();
    let (env, log) = (folder.path().join(".env"), folder.path().join("bot.log"));
    fs::write(&env, "ASSISTANT_NAME=Old\nLOG_FILE=bot.log\n").unwrap();
    let bot = TestBot::start(folder.path(), &[]);
    fs::rename(&log, folder.path().join("bot.log.old")).unwrap();
    fs::write(&env, "ASSISTANT_NAME=New\nLOG_FILE=bot.log\n").unwrap();
    bot.signal("HUP");
    let deadline = Instant::now() + Duration::from_secs(20);
    while get(&format!("{}/knowledge/info", bot.url)).await["assistant_name"] != "New"
        || !fs::read_to_string(&log).is_ok_and(|text| text.contains("settings reloaded"))
    {
        assert!(Instant::now() < deadline, "{:?}", fs::read_to_string(&log));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // It went on, and stops when it is told to.
    bot.terminate();
}

#[tokio::test]
async fn the_level_of_the_log_changes_live() {
    let folder = folder();
    let (bot, ops) = start(folder.path(), &[LOCAL, ("LOG_LEVEL", "error")]);
    let level = format!("{ops}/log-level");
    assert_eq!(get(&level).await, json!({"level": "error"}));
    get(&format!("{}/knowledge/info", bot.url)).await;
    let set = ask(Method::PUT, &level, &[], Some(&json!({"level": "info"}))).await;
    assert_eq!(json(set).await, json!({"level": "info"}));
    get(&format!("{}/knowledge/documents", bot.url)).await;
    bot.logged(|line| line["http.route"] == "/knowledge/documents").await;
    assert!(!bot.log().contains("/knowledge/info"), "{}", bot.log());
    for wrong in [json!({"level": "loud"}), json!({"level": 1}), json!({}), json!({"level": "info", "x": 1})] {
        let refused = ask(Method::PUT, &level, &[], Some(&wrong)).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(get(&level).await, json!({"level": "info"}));
}

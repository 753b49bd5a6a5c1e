//! Settings: precedence with origins, masking, refusals, and all problems at once.

use serde_json::{Value, json};

use crate::sandbox::{Run, Sandbox};

const SECRET: &str = "sk-sentinel-0123456789-abcdefghij-0123456789";
const SECRET_KEYS: [&str; 6] =
    ["OPENAI_API_KEY", "SENTRY_DSN", "VISITOR_KEY", "PROBE_TOKEN", "PROBE_TOKEN_OTHER", "ADMIN_TOKEN"];

fn show(sandbox: &Sandbox) -> Run {
    sandbox.run(["env", "show", "--format", "json"])
}

/// One setting of `env show --format json`.
#[track_caller]
fn setting(document: &Value, key: &str) -> Value {
    let settings = document["settings"].as_array().expect("settings is a list");
    settings.iter().find(|setting| setting["key"] == key).unwrap_or_else(|| panic!("no {key}")).clone()
}

#[track_caller]
fn assert_setting(sandbox: &Sandbox, key: &str, value: &str, origin: &str) {
    let found = setting(&show(sandbox).code(0).json(), key);
    assert_eq!((&found["value"], &found["origin"]), (&json!(value), &json!(origin)));
}

#[test]
fn every_setting_is_shown_with_its_default() {
    let document = show(&Sandbox::new()).code(0).json();
    let defaults = [
        ("ASSISTANT_NAME", "Knowledge Assistant"),
        ("ASSISTANT_MODEL", "gpt-6-luna"),
        ("ASSISTANT_TEMPERATURE", "0.3"),
        ("MAX_SEARCH_RESULTS", "5"),
        ("SERVER_HOST", "127.0.0.1"),
        ("SERVER_PORT", "8002"),
        ("LOG_LEVEL", "INFO"),
        ("STATE_DIR", ".chatbotctl"),
        ("DOCS_DIR", "data"),
        ("MODEL_BACKEND", "auto"),
        ("STUB_DELTA_MS", "20"),
        ("AUTH_MODE", "off"),
    ];
    for (key, value) in defaults {
        let found = setting(&document, key);
        assert_eq!((&found["value"], &found["origin"]), (&json!(value), &json!("default")), "{key}");
    }
    for key in ["OPENAI_API_KEY", "VECTOR_STORE_ID", "CORS_ORIGINS", "DATABASE_URL", "SENTRY_DSN", "RATE_LIMIT"] {
        assert_eq!(setting(&document, key)["value"], Value::Null, "{key}");
    }
    assert_eq!(setting(&document, "SERVER_PORT")["effect"], "has effect");
    assert_eq!(setting(&document, "VECTOR_STORE_ID")["effect"], "has effect");
    let effect = setting(&document, "OPS_URL")["effect"].clone();
    assert!(effect.as_str().is_some_and(|effect| effect.starts_with("no effect yet: ")), "{effect}");
}

#[test]
fn the_stronger_source_counts_and_names_the_weaker() {
    let project = "profiles:\n  dev:\n    settings:\n      SERVER_PORT: 8003\n";
    let sandbox = Sandbox::new();
    assert_setting(&sandbox, "SERVER_PORT", "8002", "default");
    let sandbox = sandbox.file("chatbotctl.yaml", project);
    assert_setting(&sandbox, "SERVER_PORT", "8003", "chatbotctl.yaml:dev");
    let sandbox = sandbox.file(".env", "# port\nSERVER_PORT=8004\n");
    assert_setting(&sandbox, "SERVER_PORT", "8004", ".env:2");
    let sandbox = sandbox.env("SERVER_PORT", "8005");
    assert_setting(&sandbox, "SERVER_PORT", "8005", "environment");
    let found = setting(&show(&sandbox).json(), "SERVER_PORT");
    assert_eq!(found["overrides"], json!([".env:2", "chatbotctl.yaml:dev"]));
    sandbox.run(["env", "show"]).code(0).says("over .env:2,");
}

#[test]
fn an_empty_value_is_no_value() {
    let sandbox = Sandbox::new().env("SERVER_PORT", "").file(".env", "SERVER_PORT=\nASSISTANT_NAME=''\n");
    assert_setting(&sandbox, "SERVER_PORT", "8002", "default");
    assert_setting(&sandbox, "ASSISTANT_NAME", "Knowledge Assistant", "default");
}

#[test]
fn a_profile_is_chosen_by_flag_over_variable() {
    let sandbox = Sandbox::new().env("CHATBOTCTL_PROFILE", "staging");
    assert_eq!(show(&sandbox).code(0).json()["profile"], "staging");
    let run = sandbox.run(["--profile", "prod", "env", "show", "--format", "json"]).code(0);
    assert_eq!(run.json()["base"], "prod");
}

#[test]
fn a_profile_of_the_project_builds_on_its_base() {
    let project = "profiles:\n  prod:\n    settings: {ASSISTANT_NAME: Base, SERVER_PORT: 1}\n  demo:\n    base: prod\n    \
                   settings: {SERVER_PORT: 2}\n";
    let sandbox = Sandbox::new().file("chatbotctl.yaml", project).env("CHATBOTCTL_PROFILE", "demo");
    assert_setting(&sandbox, "SERVER_PORT", "2", "chatbotctl.yaml:demo");
    assert_setting(&sandbox, "ASSISTANT_NAME", "Base", "chatbotctl.yaml:prod");
    assert_setting(&sandbox, "AUTH_MODE", "visitor", "default");
}

#[test]
fn a_profile_that_is_nowhere_is_named_with_the_known_ones() {
    let sandbox = Sandbox::new().file("chatbotctl.yaml", "profiles: {demo: {base: dev}}\n");
    let run = sandbox.run(["env", "show", "--profile", "deom"]).code(3);
    assert_eq!(run.stdout(), "", "no settings are shown that would be those of another profile");
    run.warns("`deom` is not known").warns("dev, staging, prod, demo").warns("did you mean `demo`");
    Sandbox::new().file("secret.env", "A=1").run(["env", "show", "--profile", "../secret"]).code(3);
}

#[test]
fn a_profile_has_its_own_env_file() {
    let sandbox = Sandbox::new()
        .file(".env", "SERVER_PORT=1\n")
        .file(".env.staging", "SERVER_PORT=2\n")
        .file("prod.env", "SERVER_PORT=3\n");
    for (profile, value, origin) in
        [("dev", "1", ".env:1"), ("staging", "2", ".env.staging:1"), ("prod", "3", "prod.env:1")]
    {
        let run = sandbox.run(["env", "show", "--format", "json", "--profile", profile]).code(0);
        let found = setting(&run.json(), "SERVER_PORT");
        assert_eq!((&found["value"], &found["origin"]), (&json!(value), &json!(origin)));
    }
}

#[test]
fn secrets_are_masked_everywhere() {
    for source in ["environment", "env file", "project"] {
        let mut sandbox = match source {
            "env file" => {
                let lines: Vec<String> = SECRET_KEYS.iter().map(|key| format!("{key}={SECRET}\n")).collect();
                Sandbox::new().file(".env", lines.concat())
            }
            "project" => {
                let lines: Vec<String> = SECRET_KEYS.iter().map(|key| format!("      {key}: {SECRET}\n")).collect();
                let head = "profiles:\n  dev:\n    settings:\n";
                Sandbox::new().file("chatbotctl.yaml", format!("{head}{}", lines.concat()))
            }
            _ => SECRET_KEYS.iter().fold(Sandbox::new(), |sandbox, key| sandbox.env(key, SECRET)),
        };
        // The same secret in a place where it does not belong is known all the same.
        sandbox = sandbox.env("SERVER_PORT", SECRET).env("ASSISTANT_NAME", format!("x{SECRET}x"));
        for format in ["human", "json", "jsonl"] {
            let run = sandbox.run(["env", "show", "-vv", "--format", format]).code(3);
            assert!(!run.text().contains(SECRET), "{source} {format}:\n{}", run.text());
            assert!(run.stdout().contains("set (fingerprint"), "{source} {format}");
        }
    }
}

#[test]
fn a_malformed_secret_is_told_by_its_length() {
    let run = show(&Sandbox::new().env("VISITOR_KEY", "short-secret")).code(3);
    assert!(!run.text().contains("short-secret"));
    run.warns("`VISITOR_KEY` (environment) is a value of 12 characters: must have 32 bytes or more");
}

#[test]
fn a_database_url_hides_its_password_only() {
    let url = "postgresql://bot:hunter2hunter2@db.example.com/chat";
    let run = show(&Sandbox::new().env("DATABASE_URL", url)).code(3);
    assert!(!run.text().contains("hunter2"));
    run.says("postgresql://bot:***@db.example.com/chat").warns("PostgreSQL, which is not built yet");
}

#[test]
fn all_problems_are_told_at_once() {
    let env = "SERVER_PORT=70000\nwrong line\nLOG_LEVEL=loud\nASSISTANT_TEMPERATURE=3\nMAX_SEARCH_RESULTS=0\n";
    let sandbox = Sandbox::new()
        .file(".env", env)
        .file("chatbotctl.yaml", "profiles:\n  dev:\n    settings:\n      SERVER_PROT: 1\n")
        .env("ASSISTANT_INSTRUCTIONS_TEMPLATE", "nowhere.md");
    let run = show(&sandbox).code(3);
    assert_eq!(setting(&run.json(), "SERVER_PORT")["value"], "70000");
    run.warns("7 problems")
        .warns("`SERVER_PORT` (.env:1) is `70000`: must be a whole number from 0 to 65535")
        .warns(".env:2:7: has no = after the name")
        .warns("`LOG_LEVEL` (.env:3)")
        .warns("`ASSISTANT_TEMPERATURE` (.env:4)")
        .warns("`MAX_SEARCH_RESULTS` (.env:5)")
        .warns("`ASSISTANT_INSTRUCTIONS_TEMPLATE` (environment) is `nowhere.md`: must be a file that exists")
        .warns("chatbotctl.yaml:4:7")
        .warns("did you mean `SERVER_PORT`?");
}

#[test]
fn prod_refuses_what_is_for_tests() {
    let sandbox = Sandbox::new().env("CHATBOTCTL_PROFILE", "prod");
    let refused = [("MODEL_BACKEND", "stub"), ("RATE_LIMIT", "off"), ("CORS_ORIGINS", "*"), ("AUTH_MODE", "off")];
    let sandbox = refused.iter().fold(sandbox, |sandbox, (key, value)| sandbox.env(key, value));
    let mut run = show(&sandbox).code(3).warns("4 problems");
    for (key, _) in refused {
        run = run.warns(&format!("`{key}` (environment)"));
    }
    let custom = sandbox.file("chatbotctl.yaml", "profiles: {live: {base: prod}}\n");
    custom.run(["env", "show", "--profile", "live"]).code(3).warns("4 problems");
    let staging = custom.run(["env", "show", "--profile", "staging"]).code(0);
    staging.warns("names `*`, which is ignored");
}

#[test]
fn the_openai_backend_needs_its_store_and_the_others_need_nothing() {
    let openai = Sandbox::new().env("MODEL_BACKEND", "openai");
    show(&openai).code(3).warns("VECTOR_STORE_ID").warns("vector-store create");
    show(&openai.env("OPENAI_API_KEY", SECRET).env("VECTOR_STORE_ID", "vs_1")).code(0);
    for backend in ["extractive", "chat"] {
        show(&Sandbox::new().env("MODEL_BACKEND", backend)).code(0);
    }
}

#[test]
fn auth_may_be_off_on_this_machine_only() {
    let mode = |sandbox: &Sandbox| setting(&show(sandbox).json(), "AUTH_MODE")["value"].clone();
    assert_eq!(mode(&Sandbox::new()), "off");
    assert_eq!(mode(&Sandbox::new().env("SERVER_HOST", "::1")), "off");
    assert_eq!(mode(&Sandbox::new().env("SERVER_HOST", "0.0.0.0")), "visitor");
    assert_eq!(mode(&Sandbox::new().env("PUBLIC_URL", "http://localhost:8002")), "off");
    assert_eq!(mode(&Sandbox::new().env("PUBLIC_URL", "https://bot.example.com")), "visitor");
    assert_eq!(mode(&Sandbox::new().env("CHATBOTCTL_PROFILE", "staging")), "visitor");
    let off = || Sandbox::new().env("AUTH_MODE", "off");
    show(&off()).code(0);
    show(&off().env("CHATBOTCTL_PROFILE", "staging")).code(0);
    show(&off().env("SERVER_HOST", "0.0.0.0")).code(3).warns("SERVER_HOST is not a loopback address");
    show(&off().env("PUBLIC_URL", "https://bot.example.com")).code(3).warns("PUBLIC_URL is not a loopback address");
    show(&off().env("CHATBOTCTL_PROFILE", "prod")).code(3).warns("refused in prod");
}

#[test]
fn odd_things_in_files_are_warned_about() {
    let env = "SERVER_PORT=1\nSERVER_PORT=2\nSERVER_HOTS=::1\nOTHER=1\nOPS_URL=https://ops.example.com\n";
    let run = show(&Sandbox::new().file(".env", env)).code(0);
    assert_eq!(setting(&run.json(), "SERVER_PORT")["origin"], ".env:2");
    assert!(!run.stderr().contains("OTHER"));
    run.warns(".env:1: `SERVER_PORT` stands again in line 2")
        .warns(".env:3: `SERVER_HOTS` is no setting; did you mean `SERVER_HOST`?")
        .warns("set without effect yet: OPS_URL");
    show(&Sandbox::new().file(".env/bin/activate", "")).code(0).warns("`.env` is not a file");
    let project = format!("profiles: {{dev: {{settings: {{OPENAI_API_KEY: {SECRET}}}}}}}\n");
    show(&Sandbox::new().file("chatbotctl.yaml", project)).code(0).warns("holds the secret `OPENAI_API_KEY`");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_a_problem() {
    use std::os::unix::ffi::OsStrExt as _;
    let value = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    show(&Sandbox::new().env("SERVER_HOST", value)).code(3).warns("`SERVER_HOST` (environment) is not UTF-8");
    show(&Sandbox::new().env("UNRELATED", value)).code(0);
}

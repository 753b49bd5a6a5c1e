//! `secret`: values in the keyring of the system, with a real one, without any, and with one that hangs.

mod desktop;
mod terminal;

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bot::TestBot;
use crate::sandbox::{Run, Sandbox};
use desktop::Desktop;
use terminal::Terminal;

const SENTINEL: &str = "sk-sentinel-5ca1ab1e-0123456789abcdef";
/// A shell that survives the interrupt and tells how the program ended and left the terminal.
const INTERRUPTED: &str = "trap : INT; $PROGRAM secret set OPENAI_API_KEY; echo code=$?; stty -a";

/// Runs the program with a text on its standard input.
fn fed(sandbox: &Sandbox, args: &[&str], text: &str) -> Run {
    let mut child = sandbox
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    // The program may refuse before it reads.
    let _ = child.stdin.take().expect("it is piped").write_all(text.as_bytes());
    Run::from(child.wait_with_output().expect("the program ends"))
}

#[track_caller]
fn assert_hidden(run: &Run) {
    assert!(!run.text().contains("5ca1ab1e"), "a value is shown:\n{}", run.text());
}

#[track_caller]
fn assert_no_file_holds_it(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            assert_no_file_holds_it(&entry.path());
        } else if let Ok(bytes) = fs::read(entry.path()) {
            let found = bytes.windows(8).any(|window| window == b"5ca1ab1e");
            assert!(!found, "{} holds a secret", entry.path().display());
        }
    }
}

/// A sandbox that no D-Bus is to be found from.
fn without_bus() -> Sandbox {
    let sandbox = Sandbox::new();
    let nowhere = format!("unix:path={}", sandbox.path("nowhere").display());
    sandbox.env("DBUS_SESSION_BUS_ADDRESS", nowhere)
}

/// A sandbox whose D-Bus takes connections and never says a word.
fn with_silent_bus() -> (Sandbox, UnixListener) {
    let sandbox = Sandbox::new();
    let path = sandbox.path("bus");
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    (sandbox.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", path.display())), listener)
}

/// The register as `secret set` leaves it.
fn registered(sandbox: Sandbox) -> Sandbox {
    let folder = fs::canonicalize(sandbox.path("")).unwrap();
    let register = json!({"folder": folder, "profiles": {"dev": ["OPENAI_API_KEY"]}});
    sandbox.file(".chatbotctl/keyring.json", register.to_string())
}

/// One setting of `env show`.
fn shown(sandbox: &Sandbox, key: &str) -> serde_json::Value {
    let document = sandbox.run(["env", "show", "--format", "json"]).code(0).json();
    let settings = document["settings"].as_array().unwrap();
    settings.iter().find(|setting| setting["key"] == key).unwrap().clone()
}

#[test]
fn a_real_keyring_keeps_gives_and_forgets() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = desktop.sandbox().file(".env", "OPENAI_API_KEY=sk-of-the-file\n");
    let set = fed(&sandbox, &["secret", "set", "OPENAI_API_KEY", "--format", "json"], &format!("{SENTINEL}\n"));
    assert_hidden(&set);
    let set = set.code(0).json();
    assert_eq!(set["schema"], "chatbotctl.secret-set/1");
    let found = shown(&sandbox, "OPENAI_API_KEY");
    assert_eq!((&found["origin"], &found["overrides"]), (&json!("keyring"), &json!([".env:1"])));
    assert_eq!(found["value"], set["value"], "the same fingerprint everywhere");

    assert_eq!(sandbox.run(["secret", "get", "OPENAI_API_KEY"]).code(0).stdout(), format!("{SENTINEL}\n"));
    let masked = sandbox.run(["secret", "get", "OPENAI_API_KEY", "--format", "json"]).code(0);
    assert_hidden(&masked);
    assert_eq!((&masked.json()["value"], &masked.json()["is_masked"]), (&set["value"], &json!(true)));
    let clear = sandbox.run(["secret", "get", "OPENAI_API_KEY", "--format", "json", "--show"]).code(0).json();
    assert_eq!(clear["value"], SENTINEL);

    let listed = sandbox.run(["secret", "list", "--format", "json"]).code(0);
    assert_hidden(&listed);
    let row = json!({"profile": "dev", "name": "OPENAI_API_KEY", "value": set["value"], "used": true});
    assert_eq!(listed.json()["secrets"], json!([row]));

    // A second value takes the place of the first.
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY"], "sk-second").code(0).says("is kept in the keyring");
    assert_eq!(sandbox.run(["secret", "get", "OPENAI_API_KEY"]).code(0).stdout(), "sk-second\n");

    sandbox.run(["secret", "remove", "OPENAI_API_KEY"]).code(7).warns("--yes");
    sandbox.run(["secret", "remove", "OPENAI_API_KEY", "--yes"]).code(0).says("removed from the keyring");
    sandbox.run(["secret", "remove", "OPENAI_API_KEY", "--yes"]).code(1);
    sandbox.run(["secret", "get", "OPENAI_API_KEY"]).code(1).warns("secret/absent");
    assert_eq!(shown(&sandbox, "OPENAI_API_KEY")["origin"], ".env:1");
    assert_no_file_holds_it(&sandbox.path(""));
}

#[test]
fn profiles_and_folders_are_told_apart_by_a_real_keyring() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = desktop.sandbox();
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY"], "sk-dev-0123456789").code(0);
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY", "--profile", "prod"], "sk-prod-0123456789").code(0);
    assert_eq!(sandbox.run(["secret", "get", "OPENAI_API_KEY"]).stdout(), "sk-dev-0123456789\n");
    let prod = sandbox.run(["secret", "get", "OPENAI_API_KEY", "--profile", "prod"]);
    assert_eq!(prod.stdout(), "sk-prod-0123456789\n");
    sandbox.run(["secret", "get", "OPENAI_API_KEY", "--profile", "staging"]).code(1);

    // A copy of the folder gets nothing, and says why.
    let copy = desktop.sandbox().file(".chatbotctl/keyring.json", sandbox.read(".chatbotctl/keyring.json"));
    copy.run(["secret", "get", "OPENAI_API_KEY"]).code(1);
    copy.run(["env", "show"]).code(0).warns("this folder was moved or copied");
    let elsewhere = copy.run(["secret", "list", "--format", "json"]).code(0).json()["elsewhere"].clone();
    assert_eq!(elsewhere.as_array().unwrap().len(), 2, "{elsewhere}");
    let folder = elsewhere[0]["folder"].as_str().unwrap();
    copy.run(["secret", "remove", "OPENAI_API_KEY", "--folder", folder, "--yes"]).code(0);
    sandbox.run(["secret", "get", "OPENAI_API_KEY"]).code(1);
    sandbox.run(["env", "show"]).code(0).warns("no longer there");
}

#[test]
fn where_names_every_source_of_a_real_keyring() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = desktop.sandbox().file(".env", format!("OPENAI_API_KEY={SENTINEL}\n"));
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY"], SENTINEL).code(0);
    let sandbox = sandbox.env("OPENAI_API_KEY", "sk-environment");
    let run = sandbox.run(["secret", "where", "OPENAI_API_KEY", "--format", "json"]).code(0);
    assert_hidden(&run);
    let document = run.json();
    assert_eq!(document["origin"], "environment");
    let sources = document["sources"].as_array().unwrap();
    let origins: Vec<_> = sources.iter().map(|source| (source["origin"].clone(), source["counts"].clone())).collect();
    let expected = [("environment", true), ("keyring", false), (".env:1", false)];
    assert_eq!(origins, expected.map(|(origin, counts)| (json!(origin), json!(counts))));
    assert_eq!(sources[1]["value"], sources[2]["value"], "equal values have equal fingerprints");
    without_bus().run(["secret", "where", "OPENAI_API_KEY"]).code(1).says("no source gives it");
}

/// C2: neither output nor logs nor files, at any level.
#[test]
fn no_command_shows_what_the_keyring_holds() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = desktop.sandbox().file("data/returns.md", "# Returns\n\nRefunds take five working days.\n");
    for name in ["OPENAI_API_KEY", "EMBEDDING_API_KEY", "VISITOR_KEY", "ADMIN_TOKEN", "PROBE_TOKEN"] {
        assert_hidden(&fed(&sandbox, &["-vv", "secret", "set", name], SENTINEL).code(0));
    }
    let sandbox = sandbox.env("LOG_LEVEL", "trace").env("LOG_FILE", "bot.log").env("RUST_LOG", "trace");
    let runs: [&[&str]; 7] = [
        &["-vv", "env", "show"],
        &["-vv", "docs", "sync", "--yes"],
        &["-vv", "ask", "When do refunds come?"],
        &["-vv", "secret", "list"],
        &["-vv", "secret", "where", "ADMIN_TOKEN"],
        &["-vv", "serve", "--port", "not-a-port"],
        &["-vv", "secret", "get", "ADMIN_TOKEN", "--format", "jsonl"],
    ];
    for arguments in runs {
        assert_hidden(&sandbox.run(arguments));
    }
    assert_no_file_holds_it(&sandbox.path(""));
}

/// C4: a locked keyring asks a person; where nobody is, that ends, and settings go on without.
#[test]
fn a_locked_real_keyring_is_waited_for_no_longer_than_its_deadline() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = desktop.sandbox().file(".env", "OPENAI_API_KEY=sk-of-the-file\n");
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY"], SENTINEL).code(0);
    desktop.lock();
    let start = Instant::now();
    let run = sandbox.run(["env", "show", "--format", "json"]).code(0).warns("not read from the keyring");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_hidden(&run);
    assert_eq!(shown(&sandbox, "OPENAI_API_KEY")["origin"], ".env:1");
    let get = sandbox.run(["secret", "get", "OPENAI_API_KEY"]).code(5).warns("locked");
    assert_hidden(&get);
    assert_hidden(&fed(&sandbox, &["secret", "set", "EMBEDDING_API_KEY"], SENTINEL).code(5));
    assert!(!sandbox.read(".chatbotctl/keyring.json").contains("EMBEDDING"), "what was not kept is not registered");
}

#[test]
fn a_real_keyring_that_stands_still_is_left_behind() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = desktop.sandbox().file(".env", "OPENAI_API_KEY=sk-of-the-file\n");
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY"], SENTINEL).code(0);
    desktop.stop();
    let start = Instant::now();
    sandbox.run(["env", "show"]).code(0).warns("did not answer within 2 s").says(".env:1");
    sandbox.run(["secret", "get", "OPENAI_API_KEY"]).code(5).warns("did not answer within 5 s");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

/// C2, C4: a server takes its key from the keyring and logs nothing of it; a reload that cannot reach the keyring changes
/// nothing, so that the key that works stays in force.
#[tokio::test]
async fn a_reload_without_an_answering_keyring_keeps_the_former_settings() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = desktop.sandbox().file("data/returns.md", "# Returns\n\nRefunds take five working days.\n");
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY"], SENTINEL).code(0);
    let variables =
        [("DBUS_SESSION_BUS_ADDRESS", desktop.address()), ("OPS_ADDR", "127.0.0.1:0"), ("LOG_LEVEL", "trace")];
    let bot = TestBot::start_with(&sandbox.path(""), &["--format", "json"], &variables);
    let reload = format!("{}/reload", bot.ops_url.as_ref().unwrap());
    let client = reqwest::Client::new();
    assert_eq!(client.post(&reload).send().await.unwrap().status(), 200);
    desktop.stop();
    let refused = client.post(&reload).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    let told = refused.text().await.unwrap();
    assert!(told.contains("did not answer") && told.contains("OPENAI_API_KEY"), "{told}");
    let (exit, log) = bot.terminate();
    assert_eq!(exit, 0);
    assert!(log.contains("did not answer") && !log.contains("5ca1ab1e"), "{log}");
}

/// C4: no service is told as such; nothing is written anywhere else.
#[test]
fn without_a_service_the_alternatives_are_named_and_nothing_is_written() {
    let sandbox = without_bus();
    let run = fed(&sandbox, &["-vv", "secret", "set", "OPENAI_API_KEY"], SENTINEL).code(3).warns("secret/no-keyring");
    assert_hidden(&run);
    run.warns("environment variable").warns("0600").warns("systemd credential");
    assert_eq!(fs::read_dir(sandbox.path("")).unwrap().count(), 0, "no file, no folder");
    sandbox.run(["secret", "list"]).code(3).warns("secret/no-keyring");
    sandbox.run(["secret", "get", "OPENAI_API_KEY"]).code(3);
    sandbox.run(["secret", "remove", "OPENAI_API_KEY", "--yes"]).code(3);
    // Settings go on without it.
    let sandbox = registered(sandbox).file(".env", "OPENAI_API_KEY=sk-of-the-file\n");
    sandbox.run(["env", "show"]).code(0).warns("there is no keyring service here").says(".env:1");
}

#[test]
fn a_silent_bus_costs_two_seconds_and_only_where_something_is_kept() {
    let (sandbox, listener) = with_silent_bus();
    let sandbox = sandbox.file(".env", "OPENAI_API_KEY=sk-of-the-file\n").file("data/a.md", "# A\n\nText.\n");
    sandbox.run(["env", "show"]).code(0);
    sandbox.run(["docs", "sync", "--yes"]).code(0);
    let sandbox = registered(sandbox);
    let given = sandbox.command(["env", "show"]).env("OPENAI_API_KEY", "sk-environment").output().unwrap();
    assert!(given.status.success());
    assert!(listener.accept().is_err(), "nobody looked for a keyring");
    let start = Instant::now();
    sandbox.run(["env", "show"]).code(0).warns("did not answer within 2 s").says(".env:1");
    assert!(listener.accept().is_ok());
    let took = start.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(20)).contains(&took), "{took:?}");
    fed(&sandbox, &["secret", "set", "EMBEDDING_API_KEY"], SENTINEL).code(5).warns("secret/locked");
}

/// C2: an argument stands in the list of processes and in the shell's history.
#[test]
fn a_value_is_never_an_argument_and_is_not_repeated() {
    let wrong: [&[&str]; 8] = [
        &["OPENAI_API_KEY", SENTINEL],
        &["OPENAI_API_KEY", "--", SENTINEL],
        &["OPENAI_API_KEY=sk-sentinel-5ca1ab1e"],
        &["OPENAI_API_KEY", "--value=sk-5ca1ab1e"],
        &["OPENAI_API_KEY", "--value", SENTINEL],
        &["OPENAI_API_KEY", "-x5ca1ab1e"],
        &["sk-5ca1ab1e"],
        &["OPENAI_API_KYE=5ca1ab1e"],
    ];
    let sandbox = without_bus();
    for verb in ["set", "get", "remove", "where"] {
        for arguments in wrong {
            let arguments: Vec<&str> = ["secret", verb].iter().chain(arguments).copied().collect();
            assert_hidden(&fed(&sandbox, &arguments, "x").code(2));
        }
    }
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY", SENTINEL], "x").code(2).warns("never an argument");
    assert_eq!(fs::read_dir(sandbox.path("")).unwrap().count(), 0);
}

#[test]
fn wrong_names_and_values_are_told() {
    let sandbox = without_bus();
    sandbox.run(["secret", "get", "OPENAI_API_KYE"]).code(2).warns("did you mean `OPENAI_API_KEY`");
    sandbox.run(["secret", "set", "SERVER_PORT"]).code(2).warns("`SERVER_PORT` is no secret");
    sandbox.run(["secret", "set", "OPENAI_API_KEY"]).code(2).warns("is empty");
    fed(&sandbox, &["secret", "set", "VISITOR_KEY"], "5ca1ab1e").code(2).warns("32 bytes");
    for value in ["5ca1ab1e\nmore\n", "5ca1ab1e\0", &"5ca1ab1e".repeat(9000)] {
        assert_hidden(&fed(&sandbox, &["secret", "set", "OPENAI_API_KEY"], value).code(2));
    }
    fed(&sandbox, &["secret", "set", "OPENAI_API_KEY", "--profile", "prdo"], SENTINEL).code(3).warns("`prod`");
}

/// C2: what is typed is not shown.
#[test]
fn a_value_is_typed_twice_and_never_seen() {
    let Some(desktop) = Desktop::start() else { return };
    let sandbox = desktop.sandbox();
    let Some(mut terminal) = Terminal::start(&sandbox, "$PROGRAM secret set OPENAI_API_KEY; stty -a") else { return };
    terminal.wait_for("it is not shown): ");
    terminal.type_line(SENTINEL);
    terminal.wait_for("The same again: ");
    terminal.type_line(SENTINEL);
    let seen = terminal.finish();
    assert!(seen.contains("is kept in the keyring") && !seen.contains("5ca1ab1e"), "{seen}");
    assert!(seen.contains(" echo "), "the echo is back:\n{seen}");
    assert_eq!(sandbox.run(["secret", "get", "OPENAI_API_KEY"]).stdout(), format!("{SENTINEL}\n"));

    let Some(terminal) = Terminal::start(&sandbox, "$PROGRAM secret get OPENAI_API_KEY") else { return };
    let seen = terminal.finish();
    assert!(seen.contains("--show") && !seen.contains("5ca1ab1e"), "{seen}");
    let Some(terminal) = Terminal::start(&sandbox, "$PROGRAM secret get OPENAI_API_KEY --show") else { return };
    assert!(terminal.finish().contains(SENTINEL));
}

#[test]
fn two_different_values_and_an_interrupt_keep_nothing() {
    let sandbox = without_bus();
    let Some(mut terminal) = Terminal::start(&sandbox, "$PROGRAM secret set OPENAI_API_KEY") else { return };
    terminal.wait_for("it is not shown): ");
    terminal.type_line(SENTINEL);
    terminal.wait_for("The same again: ");
    terminal.type_line("another-5ca1ab1e");
    let seen = terminal.finish();
    assert!(seen.contains("not the same") && !seen.contains("5ca1ab1e"), "{seen}");

    let Some(mut terminal) = Terminal::start(&sandbox, INTERRUPTED) else { return };
    terminal.wait_for("it is not shown): ");
    terminal.press("\u{3}");
    let seen = terminal.finish();
    assert!(seen.contains("code=130") && seen.contains(" echo "), "the echo is back:\n{seen}");
    assert_eq!(fs::read_dir(sandbox.path("")).unwrap().count(), 0);

    let Some(terminal) = Terminal::start(&sandbox, "$PROGRAM secret set OPENAI_API_KEY --no-input") else { return };
    let seen = terminal.finish();
    assert!(seen.contains("input/no-value") && !seen.contains("it is not shown"), "{seen}");
}

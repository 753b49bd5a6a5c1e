//! The command tree: every command has help, completions and a man page; wrong uses are told.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use chatbotctl::cli;
use chatbotctl::exit::Exit;

use crate::sandbox::Sandbox;

/// The words of every command, nouns included.
fn command_lines() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, words: &[String], found: &mut Vec<Vec<String>>) {
        found.push(words.to_vec());
        for sub in command.get_subcommands() {
            let mut words = words.to_vec();
            words.push(sub.get_name().to_owned());
            walk(sub, &words, found);
        }
    }
    let mut found = Vec::new();
    walk(&cli::command(), &[], &mut found);
    found
}

#[test]
fn every_command_has_help_with_examples() {
    let sandbox = Sandbox::new();
    let commands = command_lines();
    assert!(commands.len() > 5, "{commands:?}");
    for words in commands {
        let long = sandbox.run(words.iter().map(String::as_str).chain(["--help"])).code(0);
        assert!(long.stdout().contains("Examples"), "{words:?} has no examples:\n{}", long.stdout());
        assert!(long.stdout().contains("exit-codes"), "{words:?} does not name the exit codes");
        assert_eq!(long.stderr(), "", "{words:?}");
        let asked = sandbox.run(["help"].into_iter().chain(words.iter().map(String::as_str))).code(0);
        assert!(asked.stdout().contains("Examples"), "help {words:?}:\n{}", asked.stdout());
    }
}

#[test]
fn every_command_has_a_summary() {
    fn walk(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{} has no summary", command.get_name());
        command.get_subcommands().for_each(walk);
    }
    walk(&cli::command());
}

#[test]
fn the_bare_program_shows_help_and_is_a_wrong_use() {
    Sandbox::new().run::<&str>([]).code(2).warns("Usage: chatbotctl");
    Sandbox::new().run(["env"]).code(2).warns("Usage: chatbotctl env");
    Sandbox::new().run(["--quiet"]).code(2);
}

#[test]
fn help_and_version_go_to_stdout() {
    Sandbox::new().run(["--help"]).code(0).says("Usage: chatbotctl");
    Sandbox::new().run(["--version"]).code(0).says(env!("CARGO_PKG_VERSION"));
}

#[test]
fn slips_are_answered_with_a_suggestion() {
    Sandbox::new().run(["evn", "show"]).code(2).warns("'env'");
    Sandbox::new().run(["env", "show", "--profil", "dev"]).code(2).warns("--profile");
    Sandbox::new().run(["env", "show", "--format", "yaml"]).code(2).warns("json");
    Sandbox::new().run(["help", "nothing"]).code(2).warns("help/unknown-topic");
}

/// C9: exit codes are those that are documented.
#[test]
fn exit_codes_are_printed_from_the_enum() {
    let human = Sandbox::new().run(["help", "exit-codes"]).code(0);
    let json = Sandbox::new().run(["help", "exit-codes", "--format", "json"]).code(0).json();
    assert_eq!(json["schema"], "chatbotctl.exit-codes/1");
    for (index, exit) in Exit::ALL.iter().enumerate() {
        let begins = |line: &str| line.split_whitespace().next() == Some(exit.code().to_string().as_str());
        assert!(human.stdout().lines().any(begins), "{exit:?} is missing:\n{}", human.stdout());
        assert_eq!(json["codes"][index]["code"], exit.code());
    }
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        Sandbox::new().run(["completions", shell]).code(0).says("chatbotctl").says("env");
    }
    Sandbox::new().run(["completions", "csh"]).code(2);
}

#[test]
fn man_pages_for_every_command() {
    let sandbox = Sandbox::new();
    sandbox.run(["man"]).code(0).says(".TH chatbotctl 1").says("chatbotctl help exit\\-codes");
    sandbox.run(["man", "--dir", "pages/man1"]).code(0);
    for words in command_lines() {
        let name = ["chatbotctl"].into_iter().chain(words.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
        assert!(sandbox.path(format!("pages/man1/{name}.1")).is_file(), "{name}");
    }
    sandbox.file("taken", "").run(["man", "--dir", "taken"]).code(2).warns("man/unwritable");
}

#[test]
fn a_result_goes_to_a_file_whole() {
    let sandbox = Sandbox::new().file("show.json", "old");
    let run = sandbox.run(["env", "show", "--format", "json", "-o", "show.json"]).code(0);
    assert_eq!(run.stdout(), "");
    let document: serde_json::Value = serde_json::from_str(&sandbox.read("show.json")).expect("it is JSON");
    assert_eq!(document["schema"], "chatbotctl.env-show/1");
    sandbox.run(["env", "show", "-o", "no/such/folder/x"]).code(2).warns("output/unwritable");
    sandbox.run(["help", "nothing", "-o", "show.json"]).code(2);
    assert!(sandbox.read("show.json").starts_with('{'), "a failed run must leave the old file");
}

#[test]
fn color_only_when_asked_for() {
    let plain = Sandbox::new().run(["help", "nothing"]);
    assert!(!plain.text().contains('\u{1b}'));
    let colored = Sandbox::new().run(["help", "nothing", "--color", "always"]);
    assert!(colored.stderr().contains('\u{1b}'));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_quietly() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().expect("stderr is piped").read_to_string(&mut stderr).expect("stderr is text");
    assert_eq!((child.wait().expect("it ends").code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn runs_in_an_empty_folder_and_leaves_it_empty() {
    let sandbox = Sandbox::new();
    sandbox.run(["env", "show"]).code(0);
    sandbox.run(["help"]).code(0);
    assert_eq!(fs::read_dir(sandbox.path("")).expect("the folder is there").count(), 0);
}

//! Tells the program the commit it is built from, where that is known.
//!
//! Nothing else of the machine or the time gets in, so that two builds of one commit give the same bytes (B5). Builds
//! for development know no commit: each new one would compile everything again.

use std::process::Command;

/// Names the commit where there is no repository to ask, in a packager's build, say.
const VARIABLE: &str = "CHATBOTCTL_COMMIT";

#[expect(clippy::disallowed_methods, reason = "a build script is told everything by the environment")]
fn main() {
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    let given = std::env::var(VARIABLE).ok().filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = match given {
        None if is_release => asked(),
        given => given,
    };
    if let Some(commit) = commit {
        println!("cargo:rustc-env={VARIABLE}={commit}");
    }
}

/// What git says, with a word on changes that are in no commit.
fn asked() -> Option<String> {
    for path in ["HEAD", "index"] {
        println!("cargo:rerun-if-changed={}", git(&["rev-parse", "--git-path", path])?);
    }
    for path in ["build.rs", "Cargo.toml", "Cargo.lock", "src", "templates"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    let is_clean = git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if is_clean { commit } else { format!("{commit}-modified") })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

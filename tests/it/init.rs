//! `init`: a project that runs at once, and never changes what is there.

use std::fs;

use crate::sandbox::Sandbox;

const FILES: [&str; 5] = ["chatbotctl.yaml", ".env", ".gitignore", "README.md", "data/welcome.md"];

#[test]
fn a_new_project_has_valid_settings() {
    let sandbox = Sandbox::new();
    sandbox
        .run(["init", "my bot"])
        .code(0)
        .says("created chatbotctl.yaml")
        .says("cd 'my bot'")
        .says("chatbotctl serve");
    for file in FILES {
        assert!(sandbox.path("my bot").join(file).is_file(), "{file}");
    }
    for profile in ["dev", "staging", "prod"] {
        let mut command = sandbox.command(["env", "show", "--profile", profile, "--format", "json"]);
        let output = command.current_dir(sandbox.path("my bot")).output().expect("the program can be started");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{profile}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let sandbox = Sandbox::new().file(".env", "ASSISTANT_NAME=Mine\n").file(".gitignore", "/target\n");
    let run = sandbox.run(["init", "--format", "json"]).code(0).warns("does not name `.env`");
    let outcome = run.json();
    assert_eq!(outcome["schema"], "chatbotctl.init/1");
    assert_eq!(outcome["kept"], serde_json::json!([".env", ".gitignore"]));
    assert_eq!(sandbox.read(".env"), "ASSISTANT_NAME=Mine\n");
    let again = sandbox.run(["init", "--format", "json"]).code(0).json();
    assert_eq!(again["created"], serde_json::json!([]));
    assert_eq!(again["kept"], serde_json::json!(FILES));
}

#[test]
fn a_folder_of_documents_gets_no_sample() {
    let sandbox = Sandbox::new().file("data/handbook.md", "# Handbook\n");
    sandbox.run(["init"]).code(0).says("kept    data/");
    assert_eq!(fs::read_dir(sandbox.path("data")).expect("the folder is there").count(), 1);
}

#[test]
fn a_file_is_refused() {
    let sandbox = Sandbox::new().file("taken", "text");
    sandbox.run(["init", "taken"]).code(2).warns("init/not-a-folder");
    sandbox.run(["init", "taken/below"]).code(2).warns("init/unwritable");
    assert_eq!(sandbox.read("taken"), "text");
}

#[cfg(unix)]
#[test]
fn the_env_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    sandbox.run(["init"]).code(0);
    let mode = fs::metadata(sandbox.path(".env")).expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

//! The README says what the program says: its tables are compared with the tables they are made from.

use std::fs;
use std::path::Path;

use chatbotctl::config::keys::KEYS;
use chatbotctl::exit::Exit;

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(path).expect("the README is UTF-8")
}

#[test]
fn every_exit_code_stands_in_the_readme() {
    let text = readme();
    for exit in Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(text.contains(&row), "the README lacks the row\n{row}");
    }
}

#[test]
fn every_setting_stands_in_the_readme() {
    let text = readme();
    for key in KEYS {
        assert!(text.contains(&format!("`{}`", key.name)), "the README lacks `{}`", key.name);
    }
}

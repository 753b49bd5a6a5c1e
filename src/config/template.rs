//! The env file for a new project, made from the table of settings.

use std::fmt::Write as _;

use crate::config::dotenv;
use crate::config::keys::{Effect, Group, KEYS, Key};

const HEADER: &str = include_str!("../../templates/env/header.env");

/// Every setting, grouped and commented out: the file changes nothing until somebody edits it.
pub fn render_env() -> String {
    let mut text = HEADER.to_owned();
    for group in Group::ALL {
        let _ = write!(text, "\n# --- {} ---\n", group.title());
        for key in KEYS.iter().filter(|key| key.group == group) {
            text.push_str(&render_key(key));
        }
    }
    text
}

fn render_key(key: &Key) -> String {
    let effect = match key.effect {
        Effect::Now => String::new(),
        Effect::NotYet(_) => format!(" ({})", key.effect.describe()),
    };
    let value = key.default.unwrap_or(key.example);
    format!("\n# {}{effect}\n#{}\n", key.summary, dotenv::render(key.name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_sets_nothing() {
        let file = dotenv::parse(&render_env());
        assert!(file.entries.is_empty() && file.faults.is_empty());
    }

    #[test]
    fn every_line_can_be_switched_on() {
        let is_setting = |line: &&str| KEYS.iter().any(|key| line.starts_with(&format!("#{}=", key.name)));
        let text = render_env();
        let switched: Vec<&str> = text.lines().filter(is_setting).map(|line| &line[1..]).collect();
        let file = dotenv::parse(&switched.join("\n"));
        assert_eq!((file.faults.len(), file.entries.len()), (0, KEYS.len()));
    }
}

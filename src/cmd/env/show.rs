//! `env show`: every setting, its value and its origin.

use serde::Serialize;

use crate::app;
use crate::clock::SystemClock;
use crate::cmd::{Ctx, help_end, settings_failure};
use crate::config::keys::Effect;
use crate::config::{Resolution, Row};
use crate::error::Failure;
use crate::exit::Exit;
use crate::llm::models::Models;
use crate::ui::{Format, table};

/// Print every setting, its value and where it comes from
///
/// Secrets are masked: two of them are the same if their fingerprints are. When something is wrong, everything is
/// printed all the same, the problems on stderr, and the exit code is 3. JSON: chatbotctl.env-show/1.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl env show" => "the settings of the profile dev",
    "chatbotctl env show --profile prod" => "those of another profile",
    "chatbotctl env show --format json | jq '.settings[] | select(.origin != \"default\")'" => "what is set at all"
))]
pub struct Args {}

/// One setting, for JSON.
#[derive(Serialize)]
struct SettingRow<'a> {
    key: &'static str,
    value: Option<&'a str>,
    secret: bool,
    origin: String,
    overrides: Vec<String>,
    effect: String,
}

/// Prints the settings.
#[expect(clippy::unused_async, reason = "the table of commands awaits every command")]
pub async fn run(_args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let mut resolution = ctx.resolution(Vec::new());
    if resolution.rows.is_empty() {
        return Err(settings_failure(&resolution.profile, &resolution.problems));
    }
    let models = resolution.settings.as_ref().map(app::models::load).transpose();
    if let Ok(Some(Models { chosen, .. })) = &models {
        let life = app::models::word_about(chosen.as_ref(), &SystemClock);
        resolution.warnings.extend(life.map(|life| life.describe()));
    }
    match ctx.out.format {
        Format::Human => ctx.out.result(&render_human(&resolution))?,
        Format::Json => ctx.out.json("env-show", &document(&resolution))?,
        Format::Jsonl => resolution.rows.iter().try_for_each(|row| ctx.out.json_line(&setting_row(row)))?,
    }
    resolution.warnings.iter().for_each(|warning| ctx.out.warn(warning));
    if resolution.problems.is_empty() {
        // Nothing starts with a file of facts that cannot be used, as with settings that cannot.
        return models.map(|_| Exit::Good);
    }
    ctx.out.failure(&settings_failure(&resolution.profile, &resolution.problems));
    Ok(Exit::Settings)
}

fn document(resolution: &Resolution) -> serde_json::Value {
    let problems: Vec<String> = resolution.problems.iter().map(ToString::to_string).collect();
    serde_json::json!({
        "profile": resolution.profile,
        "base": resolution.base.name(),
        "env_file": resolution.env_file,
        "settings": resolution.rows.iter().map(setting_row).collect::<Vec<_>>(),
        "problems": problems,
        "warnings": resolution.warnings,
    })
}

fn setting_row(row: &Row) -> SettingRow<'_> {
    SettingRow {
        key: row.key.name,
        value: row.shown.as_deref(),
        secret: row.key.secret,
        origin: row.origin.to_string(),
        overrides: row.overrides.iter().map(ToString::to_string).collect(),
        effect: row.key.effect.describe(),
    }
}

fn render_human(resolution: &Resolution) -> String {
    let rows = resolution.rows.iter().map(|row| {
        let value = row.shown.clone().unwrap_or_else(|| "unset".to_owned());
        vec![row.key.name.to_owned(), value, row.origin.to_string(), note(row)]
    });
    let env_file = resolution.env_file.as_deref().unwrap_or("none");
    let head = format!("profile {} (base {}), env file: {env_file}", resolution.profile, resolution.base.name());
    format!("{head}\n\n{}\n", table(&["setting", "value", "origin", "note"], rows.collect()))
}

/// What it overrode, and why it does nothing.
fn note(row: &Row) -> String {
    let mut notes = Vec::new();
    if !row.overrides.is_empty() {
        let overrides: Vec<String> = row.overrides.iter().map(ToString::to_string).collect();
        notes.push(format!("over {}", overrides.join(", ")));
    }
    if let Effect::NotYet(_) = row.key.effect {
        notes.push(row.key.effect.describe());
    }
    notes.join("; ")
}

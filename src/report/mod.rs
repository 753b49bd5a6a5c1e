//! Reports in the common form, rendered: one file and one row of the table each.
//!
//! A renderer is a pure function of the report. It decides nothing and drops no evidence except where it says so.

mod human;
mod junit;
mod sarif;

pub use human::render as render_human;

use crate::model::report::Report;

/// A row of the table.
pub struct Renderer {
    /// The value of `--format`.
    pub name: &'static str,
    /// The report as a text, for a command of this name (`docs-lint`).
    pub render: fn(&str, &Report) -> String,
}

/// Every form beside JSON, which the terminal's own output writes with its schema.
pub static RENDERERS: &[Renderer] =
    &[Renderer { name: "junit", render: junit::render }, Renderer { name: "sarif", render: sarif::render }];

/// The report in the form of this name.
pub fn render(form: &str, name: &str, report: &Report) -> Option<String> {
    RENDERERS.iter().find(|renderer| renderer.name == form).map(|renderer| (renderer.render)(name, report))
}

#[cfg(test)]
mod tests;

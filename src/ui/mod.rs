//! The terminal: the only place that prints, asks, or knows about terminals, width and color.

pub mod form;
pub mod input;
pub mod log;
pub mod out;
pub mod panics;
pub mod progress;
mod sink;
pub mod table;
pub mod term;

pub use form::{FormatFlag, ReportForm};
pub use out::{Format, Out, OutSettings};
pub use progress::Progress;
pub use table::table;
pub use term::{Color, Term, clean, clean_line};

//! The terminal: the only place that prints, asks, or knows about terminals, width and color.

pub mod out;
pub mod progress;

pub use out::{Format, Out};

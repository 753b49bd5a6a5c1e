//! Words of many languages: what search and answers must agree on. Pure functions, no I/O.

pub mod language;
mod normal;
pub mod sentence;
mod stem;
pub mod stop;
pub mod synonym;
pub mod words;

pub use language::Language;

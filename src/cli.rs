//! The root parser and the global flags.

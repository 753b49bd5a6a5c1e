//! One test binary: the real program in a clean folder, from outside.

mod help;
mod init;
mod sandbox;
mod settings;

//! What surrounds every route. Each layer does one thing; `router` orders them.

pub mod cors;
pub mod headers;
pub mod host;
pub mod log;
pub mod origin;
pub mod panic;
pub mod rate;
pub mod refused;
pub mod shed;

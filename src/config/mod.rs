//! Settings with their origin. The only reader of `.env` files, `chatbotctl.yaml`, the environment snapshot and the
//! keyring.
//!
//! Nothing here prints, and nothing that is returned for showing holds a secret: values for showing are masked when
//! they are made, problems and warnings are redacted.

mod build;
pub mod dotenv;
pub mod effective;
pub mod envfile;
pub mod keyring;
pub mod keys;
pub mod mask;
pub mod project;
mod quoted;
mod resolve;
mod rules;
pub mod secrets;
pub mod settings;
mod source;
pub mod suggest;
pub mod template;
pub mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;

pub use resolve::{Flags, Inputs, Origin, Resolution, Row, SettingProblem, resolve};
pub use settings::{AuthMode, Base, ModelBackend, RateLimit, Settings};
pub use source::profile_names;

/// One snapshot of the process environment, taken by `main`.
pub type Environment = BTreeMap<OsString, OsString>;

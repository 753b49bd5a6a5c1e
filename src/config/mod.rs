//! Settings with their origin. The only reader of `.env` files, `chatbotctl.yaml` and the environment snapshot.

pub mod settings;

pub use settings::{AuthMode, Base, ModelBackend, RateLimit, Settings};

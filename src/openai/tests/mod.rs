//! Tests against services that misbehave.

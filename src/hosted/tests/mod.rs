//! Tests of the engine through the library, against the stand-in for the service.

mod bench;
mod faults;
mod lost;
mod promise;
mod property;
mod sync;

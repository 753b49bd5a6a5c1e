//! Tests of scan, plan and apply, most of them with an index in memory.

mod bench;
mod hurt;
mod property;
mod sync;

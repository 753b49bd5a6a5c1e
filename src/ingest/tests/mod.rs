//! Tests of scan, plan and apply, most of them with an index in memory.

mod bench;
mod hurt;
mod kept;
mod property;
mod sync;

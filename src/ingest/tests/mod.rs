//! Tests of scan, plan and apply, most of them with an index in memory.

mod asking;
mod bench;
mod hurt;
mod kept;
mod places;
mod property;
mod sync;

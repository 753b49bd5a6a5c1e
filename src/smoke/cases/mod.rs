//! The cases, one file a group or two; a case is one row and one small function.

mod attachment;
mod create;
mod form;
mod last;
mod leave;
mod list;
mod pending;
mod retry;
mod scene;
mod scene_state;
mod stream;
mod thread;
mod transport;
mod unicode;
mod validation;
mod visitors;

use crate::smoke::case::Case;

/// Every table, in the order of the report.
const TABLES: [&[Case]; 16] = [
    transport::CASES,
    validation::CASES,
    create::CASES,
    unicode::CASES,
    list::CASES,
    thread::CASES,
    retry::CASES,
    leave::CASES,
    visitors::CASES,
    pending::CASES,
    scene::CASES,
    scene_state::CASES,
    attachment::CASES,
    stream::CASES,
    form::CASES,
    last::CASES,
];

/// Every case, in the order of the report.
pub fn all() -> impl Iterator<Item = &'static Case> {
    TABLES.into_iter().flatten()
}

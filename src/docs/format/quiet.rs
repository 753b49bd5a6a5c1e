//! Keeps the report of a caught panic off the terminal.
//!
//! The process's panic hook stays in place for everybody else: only threads inside [`without_report`] are silent.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

/// Runs `work`; panics inside (which it must catch itself) are not reported.
pub fn without_report<T>(work: impl FnOnce() -> T) -> T {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if QUIET.get() == 0 {
                report(info);
            }
        }));
    });
    QUIET.set(QUIET.get() + 1);
    let result = work();
    QUIET.set(QUIET.get() - 1);
    result
}

//! The exit codes, the same for every command and format.

use std::process::ExitCode;

/// How a run ended. `help exit-codes` and the README's table are printed from this enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Done, and everything looked at is good.
    Good,
    /// It ran, and something is not good.
    NotGood,
    /// Used wrongly.
    Usage,
    /// Settings missing or invalid; nothing was started.
    Settings,
    /// Not allowed: no or wrong credentials.
    Denied,
    /// Temporary; trying again is reasonable.
    Temporary,
    /// Not proven: nothing was selected, or a blocking probe is unknown.
    NotProven,
    /// Waits for a decision.
    Undecided,
    /// A bug in chatbotctl, panics included.
    Bug,
    /// Interrupted (SIGINT), after a clean stop.
    Interrupted,
    /// Terminated (SIGTERM), after a clean stop. For `serve` this is how it is meant to end: [`Self::Good`].
    Terminated,
}

impl Exit {
    /// Every way to end, in the order of the codes.
    pub const ALL: [Self; 11] = [
        Self::Good,
        Self::NotGood,
        Self::Usage,
        Self::Settings,
        Self::Denied,
        Self::Temporary,
        Self::NotProven,
        Self::Undecided,
        Self::Bug,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::NotGood => 1,
            Self::Usage => 2,
            Self::Settings => 3,
            Self::Denied => 4,
            Self::Temporary => 5,
            Self::NotProven => 6,
            Self::Undecided => 7,
            Self::Bug => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What the code means, for help texts.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Good => "done, and everything looked at is good",
            Self::NotGood => {
                "it ran, and something is not good: a document with a problem, a failed probe, a missed threshold"
            }
            Self::Usage => {
                "used wrongly: unknown flag, missing argument, a question needed where asking is not possible"
            }
            Self::Settings => "settings missing or invalid; nothing was started",
            Self::Denied => "not allowed: no or wrong credentials",
            Self::Temporary => "temporary: network, timeout, rate limit, locked; trying again is reasonable",
            Self::NotProven => "not proven: nothing was selected, or a blocking probe is unknown",
            Self::Undecided => {
                "waits for a decision: a confirmation is needed, or (with --exit-code) a plan has changes"
            }
            Self::Bug => "a bug in chatbotctl, panics included",
            Self::Interrupted => "interrupted, after a clean stop",
            Self::Terminated => "terminated, after a clean stop",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

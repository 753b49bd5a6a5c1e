//! How many files this process may have open. A connection is one.

/// Descriptors that are no connections: the database, the index, the documents being read.
const RESERVED: u64 = 256;
/// Connections that are promised however few descriptors there are.
const MIN_CONNECTIONS: u64 = 64;

/// Raises the process's soft limit to its hard one; how many connections fit, `wanted` at the most.
#[cfg(unix)]
pub fn raise(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let fitting = getrlimit(Resource::Nofile)
        .current
        .map_or(wanted, |files| {
            let connections = files.saturating_sub(RESERVED).max(MIN_CONNECTIONS);
            usize::try_from(connections).unwrap_or(usize::MAX)
        })
        .min(wanted);
    if fitting < wanted {
        tracing::warn!(connections = fitting, "few open files are allowed here; raise the limit (ulimit -n)");
    }
    fitting
}

/// Elsewhere there is no such limit to raise.
#[cfg(not(unix))]
pub fn raise(wanted: usize) -> usize {
    wanted
}

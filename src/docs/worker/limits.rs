//! How much one document may cost.

use std::time::Duration;

const MB: u64 = 1024 * 1024;

/// The address space that a worker may use beyond what it has at its start, in bytes. The largest documents (512 MB)
/// fit with what reading them needs.
pub const MEMORY_BYTES: u64 = 1536 * MB;

/// Limits of time for one document.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Processor time that any document gets, in seconds.
    pub cpu_s: u64,
    /// Bytes for which it gets one more second.
    pub bytes_per_s: u64,
    /// Time by the clock, in multiples of the processor time: a machine has other work, too.
    pub clock_factor: u32,
}

impl Default for Limits {
    fn default() -> Self {
        // Code that is not optimised takes some ten times as long; it runs on developers' machines only.
        let bytes_per_s = if cfg!(debug_assertions) { MB / 2 } else { 4 * MB };
        Self { cpu_s: 10, bytes_per_s, clock_factor: 4 }
    }
}

impl Limits {
    /// Processor time for a document of so many bytes, in whole seconds.
    pub fn cpu_s(&self, bytes: u64) -> u64 {
        self.cpu_s + bytes / self.bytes_per_s.max(1)
    }

    /// Time by the clock for a document of so many bytes.
    pub fn deadline(&self, bytes: u64) -> Duration {
        Duration::from_secs(self.cpu_s(bytes)) * self.clock_factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_documents_get_more_time() {
        let limits = Limits { cpu_s: 10, bytes_per_s: 4 * MB, clock_factor: 3 };
        assert_eq!((limits.cpu_s(0), limits.cpu_s(300 * MB)), (10, 85));
        assert_eq!(limits.deadline(8 * MB), Duration::from_secs(36));
    }
}

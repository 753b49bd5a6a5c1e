//! What the system says about this process, in the names that Prometheus clients share.
//!
//! Linux alone tells it in `/proc`; elsewhere these metrics are absent rather than wrong.

/// What the system says.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    /// Memory in use, in bytes.
    pub resident_bytes: u64,
    /// Address space, in bytes.
    pub virtual_bytes: u64,
    /// Time on processors, in seconds.
    pub cpu_seconds: f64,
    /// When it started, in seconds since 1970.
    pub start_seconds: f64,
    /// Open file descriptors.
    pub open_fds: u64,
    /// How many there may be.
    pub max_fds: u64,
}

impl Process {
    /// What the system says now; reads files, so not on an async thread.
    #[cfg(target_os = "linux")]
    pub fn look() -> Option<Self> {
        use rustix::param::{clock_ticks_per_second, page_size};
        use std::fs;
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let system = System { ticks: clock_ticks_per_second(), page_bytes: page_size() as u64 };
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let boot = fs::read_to_string("/proc/stat").ok()?;
        // The handle that lists the others counts too, and is gone again.
        let open_fds = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as u64;
        let parsed = parse(&stat, &boot, system)?;
        Some(Self { open_fds, max_fds: limit.current.unwrap_or(u64::MAX), ..parsed })
    }

    /// Nothing is known here.
    #[cfg(not(target_os = "linux"))]
    pub fn look() -> Option<Self> {
        None
    }
}

/// In what units the system counts.
#[cfg(any(target_os = "linux", test))]
#[derive(Clone, Copy)]
struct System {
    ticks: u64,
    page_bytes: u64,
}

/// See proc(5). The name of the program may hold anything, so fields are counted from the last bracket.
#[cfg(any(target_os = "linux", test))]
fn parse(stat: &str, boot: &str, system: System) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Field 3 of the manual is the first here.
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let booted: u64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let seconds = |ticks: u64| ticks as f64 / system.ticks.max(1) as f64;
    Some(Process {
        cpu_seconds: seconds(number(14)?.saturating_add(number(15)?)),
        start_seconds: booted as f64 + seconds(number(22)?),
        virtual_bytes: number(23)?,
        resident_bytes: number(24)?.saturating_mul(system.page_bytes),
        open_fds: 0,
        max_fds: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_an_odd_name_is_read() {
        let stat =
            "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 9 0 3000 1048576 25 18446744073709551615";
        let found = parse(stat, "cpu 1\nbtime 1000\n", System { ticks: 100, page_bytes: 4096 }).unwrap();
        let expected = Process {
            cpu_seconds: 2.0,
            start_seconds: 1030.0,
            virtual_bytes: 1_048_576,
            resident_bytes: 25 * 4096,
            ..Process::default()
        };
        assert_eq!(found, expected);
        assert_eq!(parse("nothing", "", System { ticks: 100, page_bytes: 1 }), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_read() {
        let found = Process::look().unwrap();
        assert!(found.resident_bytes > 100_000 && found.open_fds > 2 && found.max_fds >= found.open_fds, "{found:?}");
        assert!(found.start_seconds > 1.0e9, "{found:?}");
    }
}

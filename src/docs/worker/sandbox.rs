//! Takes from the worker's process what it does not need, before it sees the first byte of a document.
//!
//! Limits that the kernel enforces: memory, processor time, no core dump, no written file, hardly any open file. On
//! Linux (x86-64, AArch64) two filters of system calls on top. What no reader calls even by mistake (sockets, other
//! programs, other processes' memory) ends the process at once, so that the operator learns of it. Everything that is
//! not on a short list of calls for memory, threads' own business and the open pipes gives EPERM.
//!
//! What cannot be set up is returned in words: never silently.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::docs::worker::MEMORY_BYTES;

/// No file is opened; the three that are open stay.
const OPEN_FILES: u64 = 8;

/// Enters the sandbox, for good and for all threads. Returns what could not be set up.
pub fn enter() -> Vec<String> {
    let mut unmet = Vec::new();
    let mut note = |what: &str, result: Result<(), String>| {
        unmet.extend(result.err().map(|why| format!("{what}: {why}")));
    };
    note("memory", limit_memory());
    note("core dumps", lower(Resource::Core, 0));
    note("written files", lower(Resource::Fsize, 0));
    note("open files", lower(Resource::Nofile, OPEN_FILES));
    note("system calls", calls::filter());
    unmet
}

/// Gives the process so many seconds of processor time from now. The signal of the kernel (SIGXCPU) ends it then.
pub fn allow_cpu(seconds: u64) -> Result<(), String> {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let used = u64::try_from(used.tv_sec).unwrap_or_default() + 1;
    let maximum = getrlimit(Resource::Cpu).maximum;
    let wanted = used.saturating_add(seconds);
    let current = Some(maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    setrlimit(Resource::Cpu, Rlimit { current, maximum }).map_err(|error| error.to_string())
}

fn lower(resource: Resource, to: u64) -> Result<(), String> {
    let maximum = getrlimit(resource).maximum.map_or(to, |maximum| maximum.min(to));
    let limit = Rlimit { current: Some(maximum), maximum: Some(maximum) };
    setrlimit(resource, limit).map_err(|error| error.to_string())
}

/// Counted from what is mapped already: the program itself, the stack of the reading thread, the allocator's own.
#[cfg(target_os = "linux")]
fn limit_memory() -> Result<(), String> {
    let status = std::fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
    let pages = status.split_whitespace().next().and_then(|pages| pages.parse::<u64>().ok());
    let mapped = pages.ok_or("what is mapped is not known")? * rustix::param::page_size() as u64;
    lower(Resource::As, mapped + MEMORY_BYTES)
}

#[cfg(not(target_os = "linux"))]
fn limit_memory() -> Result<(), String> {
    lower(Resource::As, MEMORY_BYTES)
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod calls {
    //! No filter on this system.

    /// Always says so.
    pub fn filter() -> Result<(), String> {
        Err("there is no filter for this system".to_owned())
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls {
    //! The filters of system calls (seccomp, BPF).

    use std::collections::BTreeMap;

    use libc as sys;
    use seccompiler::{
        BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter_all_threads,
    };

    type Rules = BTreeMap<i64, Vec<SeccompRule>>;

    /// Filters the calls of all threads.
    pub fn filter() -> Result<(), String> {
        let refuse = SeccompAction::Errno(sys::EPERM.unsigned_abs());
        // In this order: the second one leaves no way to set up another.
        let filters = [
            (fatal(), SeccompAction::Allow, SeccompAction::KillProcess),
            (needed().map_err(|error| error.to_string())?, refuse, SeccompAction::Allow),
        ];
        for (rules, otherwise, matched) in filters {
            let program = compile(rules, otherwise, matched).map_err(|error| error.to_string())?;
            apply_filter_all_threads(&program).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn compile(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> Result<BpfProgram, BackendError> {
        SeccompFilter::new(rules, otherwise, matched, std::env::consts::ARCH.try_into()?)?.try_into()
    }

    /// What only somebody else's code in our process would call.
    fn fatal() -> Rules {
        let calls = [
            sys::SYS_socket,
            sys::SYS_socketpair,
            sys::SYS_connect,
            sys::SYS_bind,
            sys::SYS_execve,
            sys::SYS_execveat,
            sys::SYS_ptrace,
            sys::SYS_process_vm_readv,
            sys::SYS_process_vm_writev,
            sys::SYS_kill,
            sys::SYS_io_uring_setup,
            sys::SYS_bpf,
        ];
        calls.into_iter().map(|call| (call, Vec::new())).collect()
    }

    /// What the standard library and the allocator need to compute and to talk over the open pipes.
    fn needed() -> Result<Rules, BackendError> {
        let mut rules: Rules = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
        let stdout_and_stderr = [1, 2].map(|file| is(0, SeccompCmpOp::Eq, file).and_then(|file| all(vec![file])));
        let [stdout, stderr] = stdout_and_stderr;
        rules.insert(sys::SYS_write, vec![stdout?, stderr?]);
        let executable = u64::from(sys::PROT_EXEC.unsigned_abs());
        for call in [sys::SYS_mmap, sys::SYS_mprotect] {
            rules.insert(call, vec![all(vec![is(2, SeccompCmpOp::MaskedEq(executable), 0)?])?]);
        }
        // A process may end itself by a signal (`abort`), and give itself another limit of time, and that is all.
        let own = u64::from(std::process::id());
        rules.insert(sys::SYS_tgkill, vec![all(vec![is(0, SeccompCmpOp::Eq, own)?])?]);
        let cpu = u64::from(sys::RLIMIT_CPU);
        let itself = is(0, SeccompCmpOp::Eq, 0)?;
        rules.insert(sys::SYS_prlimit64, vec![all(vec![itself, is(1, SeccompCmpOp::Eq, cpu)?])?]);
        Ok(rules)
    }

    fn is(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
    }

    fn all(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
        SeccompRule::new(conditions)
    }

    /// Allowed whatever the arguments are.
    const ALWAYS: &[i64] = &[
        sys::SYS_read,
        sys::SYS_close,
        sys::SYS_munmap,
        sys::SYS_mremap,
        sys::SYS_madvise,
        sys::SYS_brk,
        sys::SYS_futex,
        sys::SYS_sched_yield,
        sys::SYS_sched_getaffinity,
        sys::SYS_clock_gettime,
        sys::SYS_clock_nanosleep,
        sys::SYS_nanosleep,
        sys::SYS_getrandom,
        sys::SYS_getpid,
        sys::SYS_gettid,
        sys::SYS_ppoll,
        #[cfg(target_arch = "x86_64")]
        sys::SYS_poll,
        sys::SYS_restart_syscall,
        sys::SYS_rt_sigaction,
        sys::SYS_rt_sigprocmask,
        sys::SYS_rt_sigreturn,
        sys::SYS_sigaltstack,
        sys::SYS_set_robust_list,
        sys::SYS_rseq,
        sys::SYS_exit,
        sys::SYS_exit_group,
    ];
}

//! Measurements of the machine: processor time, memory, and how long its disk takes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::bench::Result;

/// Linux reports a process's time in hundredths of a second (proc(5), `utime`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time since each process began.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub server_seconds: f64,
    /// The postmaster and its children.
    pub postgres_seconds: f64,
    /// This process and the programs that it has run.
    pub own_seconds: f64,
}

impl Usage {
    pub fn of(servers: &[u32], postmaster: u32) -> Result<Self> {
        let mut usage = Self {
            server_seconds: 0.0,
            postgres_seconds: 0.0,
            own_seconds: Process::read(std::process::id())?.seconds,
        };
        for &server in servers {
            usage.server_seconds += Process::read(server)?.seconds;
        }
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // Processes may end meanwhile.
            let Ok(process) = Process::read(pid) else { continue };
            if pid == postmaster || process.parent == postmaster {
                usage.postgres_seconds += process.seconds;
            }
        }
        Ok(usage)
    }

    pub fn since(&self, before: &Self) -> Self {
        Self {
            server_seconds: self.server_seconds - before.server_seconds,
            postgres_seconds: self.postgres_seconds - before.postgres_seconds,
            own_seconds: self.own_seconds - before.own_seconds,
        }
    }
}

/// Seconds of processor time since a process began.
pub fn processor_seconds(pid: u32) -> Result<f64> {
    Ok(Process::read(pid)?.seconds)
}

struct Process {
    parent: u32,
    seconds: f64,
}

impl Process {
    fn read(pid: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name, in parentheses, may contain anything; numbers follow it.
        let numbers: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let number = |index: usize| numbers.get(index).and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
        // proc_pid_stat(5): the state is the first of these, then ppid; the four times are utime, stime, and
        // the same of children that have ended, such as pgbench, or a backend whose client has left.
        let ticks: u32 = (11..=14).map(number).sum();
        Ok(Self { parent: number(1), seconds: f64::from(ticks) / TICKS_PER_SECOND })
    }
}

/// The resident memory of a process, in MiB.
pub fn resident_mib(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0)
}

/// The median time of one small write that waits for the disk: the minimum cost of every commit.
pub fn disk_sync_ms(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..101 {
        let begun = Instant::now();
        file.write_all(&[0; 8192])?;
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

//! Metrics of the process, under the names that Prometheus's own client libraries use.

use prometheus_client::registry::Registry;

/// Adds what the system reports about this process.
#[cfg(target_os = "linux")]
pub(super) fn add(registry: &mut Registry) {
    use procfs::process::{LimitValue, Process};
    use procfs::{CurrentSI as _, KernelStats};

    let Ok(process) = Process::myself() else { return };
    if let Ok(stat) = process.stat() {
        let ticks = procfs::ticks_per_second() as f64;
        let cpu = (stat.utime + stat.stime) as f64 / ticks;
        counter(registry, "cpu_seconds", "Processor time", cpu);
        let resident = (stat.rss * procfs::page_size()) as f64;
        gauge(registry, "resident_memory_bytes", "Memory in use", resident);
        gauge(registry, "virtual_memory_bytes", "Virtual memory", stat.vsize as f64);
        gauge(registry, "threads", "Threads", stat.num_threads as f64);
        if let Ok(kernel) = KernelStats::current() {
            let started = kernel.btime as f64 + stat.starttime as f64 / ticks;
            gauge(registry, "start_time_seconds", "Start time, in Unix time", started);
        }
    }
    if let Ok(count) = process.fd_count() {
        gauge(registry, "open_fds", "Open files and sockets", count as f64);
    }
    if let Ok(limits) = process.limits()
        && let LimitValue::Value(most) = limits.max_open_files.soft_limit
    {
        gauge(registry, "max_fds", "Limit of open files and sockets", most as f64);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn add(_: &mut Registry) {}

#[cfg(target_os = "linux")]
fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    registry.register(name, help, prometheus_client::metrics::gauge::ConstGauge::new(value));
}

#[cfg(target_os = "linux")]
fn counter(registry: &mut Registry, name: &str, help: &str, value: f64) {
    registry.register(name, help, prometheus_client::metrics::counter::ConstCounter::new(value));
}

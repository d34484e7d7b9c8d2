//! The limit of open files and sockets of this process.

/// Descriptors kept for everything but visitors and database connections: files, the runtime's sockets, background
/// connections.
const RESERVE: usize = 200;
/// Fewer connections than this are a problem for a site of any size; 4,096 open files are a common limit.
const FEW: usize = 4_096;

/// Raises the soft limit to the hard limit and returns it. `None` if there is no limit.
#[must_use]
pub fn raise() -> Option<usize> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let allowed = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
        allowed.map(|most| usize::try_from(most).unwrap_or(usize::MAX))
    }
    #[cfg(not(unix))]
    None
}

/// How many connections fit into the descriptors that the databases leave. Logs it if that is fewer than wanted, as a
/// warning if it is few. A server without free descriptors could not even open its database.
#[must_use]
pub fn fit(wanted: usize, databases: usize, descriptors: Option<usize>) -> usize {
    let Some(descriptors) = descriptors else { return wanted };
    let room = descriptors.saturating_sub(databases + RESERVE).max(1);
    if room < wanted {
        let level = if room < FEW { log::Level::Warn } else { log::Level::Info };
        log::log!(
            level,
            "this process may open {descriptors} files, so it holds {room} connections instead of {wanted}; \
             raise the limit (LimitNOFILE in systemd, ulimit -n), or let several servers share \
             the port with REUSE_PORT=true"
        );
    }
    room.min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_never_take_the_descriptors_of_the_database() {
        assert_eq!(fit(50_000, 50, Some(20_000)), 19_750);
        assert_eq!(fit(1_000, 50, Some(20_000)), 1_000);
        assert_eq!(fit(1_000, 50, Some(100)), 1, "at least one");
        assert_eq!(fit(1_000, 50, None), 1_000);
    }
}

//! Checks of the machines: their clocks, their backups, their disk.

use std::path::Path;

use chrono::TimeDelta;

use super::check::{DatabaseFacts, SetupCheck, SetupState, check};

/// Room for the database's log in a rush, and for a backup of a small database with its proof.
const DISK_LEAST: u64 = 2 << 30;
/// If clocks are further apart, people who compare their countdowns see a difference.
const CLOCKS_APART_MAX: i64 = 2;
/// If the last backup is older, the job that makes backups has failed more than once.
const BACKUP_OLDEST: TimeDelta = TimeDelta::hours(26);

/// Whether the database and this server agree on the time.
pub fn clocks(ahead: i64) -> SetupCheck {
    let title = "Clock";
    if ahead.abs() > CLOCKS_APART_MAX {
        let fix = "Let both machines keep time by NTP (systemd-timesyncd, chrony). Sales open by the database’s clock.";
        let found = format!("The database’s clock and this server’s differ by {} s.", ahead.abs());
        return check(title, SetupState::Wrong, found, fix);
    }
    check(title, SetupState::Right, "The clocks of the server and its database show the same time.", "")
}

/// The server sees no backup, so that somebody who breaks into it finds none: `techkraft backup` notes when it made
/// one.
pub fn backups(facts: &DatabaseFacts) -> SetupCheck {
    let title = "Backups";
    let Some(at) = facts.last_backup else {
        let fix = "Run `techkraft backup FOLDER --keep 48 --keep-days 30` every hour, onto another machine’s disk. \
                   Restore one before you need it. A backup taken from a standby isn’t noted here.";
        return check(title, SetupState::Look, "No backup on record yet.", fix);
    };
    let found = format!("The last one was made and proved on {}.", facts.venue_clock.minute(&at));
    if facts.now - at > BACKUP_OLDEST {
        let fix = "Check the timer or the job that makes them, and set up the alert BackupMissing.";
        return check(title, SetupState::Wrong, found, fix);
    }
    check(title, SetupState::Right, found, "")
}

/// How many bytes are free on the database's disk; `None`: unknown.
#[cfg(unix)]
pub fn free_bytes(file: &Path) -> Option<u64> {
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let system = rustix::fs::statvfs(folder).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Unknown on other systems.
#[cfg(not(unix))]
pub fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Whether the database has room.
pub fn disk(free: u64) -> SetupCheck {
    let tenths = (free >> 20) * 10 / 1024;
    let found = format!("{}.{} GiB free on the database’s disk.", tenths / 10, tenths % 10);
    if free < DISK_LEAST {
        let fix = "Make room: without any, bookings are refused. Backups and their proof need twice the database’s size.";
        return check("Disk", SetupState::Wrong, found, fix);
    }
    check("Disk", SetupState::Right, found, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_said_in_gibibytes() {
        assert_eq!(disk(3 << 29).found, "1.5 GiB free on the database’s disk.");
    }

    #[test]
    fn what_is_wrong_has_a_way_out() {
        for (bad, good) in [(clocks(-3), clocks(2)), (disk(DISK_LEAST - 1), disk(DISK_LEAST))] {
            assert!(bad.state == SetupState::Wrong && !bad.fix.is_empty(), "{bad:?}");
            assert!(good.state == SetupState::Right && good.fix.is_empty(), "{good:?}");
        }
    }
}

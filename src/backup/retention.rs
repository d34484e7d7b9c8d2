//! Retention: keeps the latest backups, and the last one of each day for longer.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use chrono::{Days, NaiveDate, NaiveDateTime, Utc};

use super::archive::{COMPANIONS, PART, PROOF, UNPROVED};
use super::{DatabaseKind, STAMP, beside, io_error};
use crate::start_error::StartError;

const PREFIX: &str = "techkraft-";

/// How many backups of a folder are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The number of latest backups to keep.
    pub latest: usize,
    /// For this many days (UTC), the last backup of each day is kept too.
    pub days: u64,
}

/// Removes backups that are past their retention, and what is left of unfinished ones that are older than the oldest
/// kept backup. Returns the number of backups removed.
pub(super) fn prune(folder: &Path, kind: DatabaseKind, retention: Retention) -> Result<usize, StartError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error("read", folder))? {
        let entry = entry.map_err(io_error("read", folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    let stamps: BTreeSet<NaiveDateTime> = names.iter().filter_map(|name| stamp(name, kind)).collect();
    let kept = kept(&stamps, retention, Utc::now().date_naive());
    let is_stale = |it: &NaiveDateTime| kept.first().is_some_and(|oldest| it < oldest);
    let mut removed = 0;
    for name in &names {
        let path = folder.join(name);
        if stamp(name, kind).is_some_and(|it| !kept.contains(&it)) {
            // Remove the companions last: a backup without its checksum is worse than a checksum without its backup.
            remove(&path)?;
            COMPANIONS.iter().try_for_each(|ending| remove(&beside(&path, ending)))?;
            removed += 1;
        }
        if leftover(name, kind).is_some_and(|it| is_stale(&it)) {
            remove(&path)?;
        }
    }
    Ok(removed)
}

/// Removes a file, or a folder with all that is in it. Nothing needs to be there.
fn remove(path: &Path) -> Result<(), StartError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(io_error("removed", path)),
    }
}

/// The time in the name of a backup; `None` for other names.
fn stamp(name: &str, kind: DatabaseKind) -> Option<NaiveDateTime> {
    let name = name.strip_prefix(PREFIX)?.strip_suffix(kind.ending())?;
    NaiveDateTime::parse_from_str(name.strip_suffix('.')?, STAMP).ok()
}

/// The time in the name of what an unfinished backup may have left; `None` for other names.
fn leftover(name: &str, kind: DatabaseKind) -> Option<NaiveDateTime> {
    // The time has no dot: the first one begins the ending of the backup.
    let (backup, tail) = name.split_at_checked(name.find('.')? + 1 + kind.ending().len())?;
    stamp(backup, kind).filter(|_| is_leftover(tail))
}

/// Whether only an unfinished backup has a file or folder with this after its name. A checksum or secret without
/// `.unproved` belongs to a complete backup, even if that is not in the folder: somebody may have compressed it.
fn is_leftover(tail: &str) -> bool {
    let Some(rest) = tail.strip_prefix(UNPROVED) else { return tail == PART };
    let is_proof = rest.strip_prefix(PROOF).is_some_and(|process| process.parse::<u32>().is_ok());
    let companion = rest.strip_suffix(PART).unwrap_or(rest);
    rest.is_empty() || is_proof || COMPANIONS.contains(&companion)
}

fn kept(stamps: &BTreeSet<NaiveDateTime>, retention: Retention, today: NaiveDate) -> BTreeSet<NaiveDateTime> {
    let latest = stamps.iter().rev().take(retention.latest.max(1));
    let since = today.checked_sub_days(Days::new(retention.days)).unwrap_or(NaiveDate::MIN);
    let is_last_of_day = |it: &&NaiveDateTime| {
        let next = stamps.range((std::ops::Bound::Excluded(**it), std::ops::Bound::Unbounded)).next();
        next.is_none_or(|next| next.date() != it.date())
    };
    let days = stamps.iter().filter(|it| it.date() > since).filter(is_last_of_day);
    latest.chain(days).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_and_the_last_of_each_day_for_longer() {
        let names = [
            "techkraft-20261101T120000Z.db",
            "techkraft-20261123T010000Z.db",
            "techkraft-20261123T230000Z.db",
            "techkraft-20261124T230000Z.db",
            "techkraft-20261125T010000Z.db",
            "techkraft-20261125T020000Z.db",
            "techkraft-20261125T030000Z.db",
        ];
        let stamps: BTreeSet<_> = names.iter().filter_map(|name| stamp(name, DatabaseKind::Sqlite)).collect();
        assert_eq!(stamps.len(), names.len());
        let today = NaiveDate::from_ymd_opt(2026, 11, 25).expect("a day");
        let kept = |latest, days| -> Vec<String> {
            let kept = kept(&stamps, Retention { latest, days }, today);
            kept.iter().map(|it| it.format("%d %H").to_string()).collect()
        };
        assert_eq!(kept(2, 0), ["25 02", "25 03"]);
        assert_eq!(kept(2, 3), ["23 23", "24 23", "25 02", "25 03"]);
        assert_eq!(kept(0, 0), ["25 03"], "the last one is never removed");
        assert_eq!(kept(99, 0).len(), names.len());
    }

    #[test]
    fn what_is_no_backup_is_left_alone() {
        for name in ["techkraft.db", "techkraft-x.db", "techkraft-20261101T120000Z.dump", "notes.db"] {
            assert_eq!(stamp(name, DatabaseKind::Sqlite), None, "{name}");
        }
        let is_left = |name: &str| leftover(name, DatabaseKind::Sqlite).is_some();
        let of_unproved = ["", ".proof-17", ".sha256", ".secret", ".secret.part"];
        for ending in of_unproved.map(|it| format!(".unproved{it}")).into_iter().chain([".part".to_owned()]) {
            assert!(is_left(&format!("techkraft-20261101T120000Z.db{ending}")), "{ending}");
        }
        let of_complete = ["", ".txt", ".gz", ".sha256", ".secret", ".sha256.asc"];
        let of_nobody = [".unproved.gz", ".unproved.part", ".unproved.sha256.asc", ".unproved.proof-x"];
        for ending in of_complete.into_iter().chain(of_nobody) {
            assert!(!is_left(&format!("techkraft-20261101T120000Z.db{ending}")), "{ending}");
        }
        assert!(!is_left("techkraft.db.secret") && !is_left("techkraft-20261101T120000Z"));
    }

    /// A proof that was killed leaves a folder, and a failed one leaves the checksum and a copy of the secret.
    #[test]
    fn all_that_an_old_unfinished_backup_left_is_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let (old, failed) = ("techkraft-20201101T120000Z.db", "techkraft-20201102T120000Z.db");
        let (kept, newer) = ("techkraft-20211125T120000Z.db", "techkraft-20211126T120000Z.db");
        for name in [old, kept] {
            for ending in ["", ".sha256", ".secret"] {
                fs::write(path(&format!("{name}{ending}")), "x").expect("written");
            }
        }
        for name in [failed, newer] {
            for ending in [".unproved", ".unproved.sha256", ".unproved.secret"] {
                fs::write(path(&format!("{name}{ending}")), "x").expect("written");
            }
            let proof = path(&format!("{name}.unproved.proof-17"));
            fs::create_dir(&proof).expect("created");
            fs::write(proof.join("proof.db"), "x").expect("written");
        }
        // Somebody has compressed a good backup: what is left of it is not touched.
        let compressed = "techkraft-20201103T120000Z.db";
        for ending in [".gz", ".sha256", ".secret", ".sha256.asc"] {
            fs::write(path(&format!("{compressed}{ending}")), "x").expect("written");
        }
        let removed = prune(folder.path(), DatabaseKind::Sqlite, Retention { latest: 1, days: 0 });
        assert_eq!(removed.expect("nothing is in the way"), 1);
        let entries = fs::read_dir(folder.path()).expect("a folder").flatten();
        let left: BTreeSet<String> =
            entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(left.len(), 3 + 4 + 4, "{left:?}");
        let stays = |name: &String| [kept, newer, compressed].iter().any(|it| name.starts_with(*it));
        assert!(left.iter().all(stays), "{left:?}");
    }
}

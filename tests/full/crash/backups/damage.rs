//! A damaged backup is refused, and nothing is overwritten.

use std::fs;
use std::path::Path;

use super::{assert_no_throwaway_is_left, backup, names, restore, seeded_with_backup};
use testkit::server::techkraft;
use testkit::small_disk::SmallDisk;

/// A backup that is cut off or has one flipped bit, and one that is cut off or empty and has no checksum file beside
/// it.
#[test]
fn a_damaged_backup_is_refused_with_one_line_and_changes_nothing() {
    let (database, path) = seeded_with_backup();
    let whole = fs::read(&path).expect("the backup");
    let place = database.empty_place();
    let cut_off = &whole[..whole.len() / 2];
    let mut turned = whole.clone();
    turned[whole.len() / 2] ^= 1;
    for (damaged, has_checksum) in [(cut_off, true), (&turned, true), (cut_off, false), (&whole[..0], false)]
    {
        let at = database.folder.path().join("damaged.backup");
        fs::write(&at, damaged).expect("written");
        let _ = fs::remove_file(checksum(&at));
        if has_checksum {
            fs::copy(checksum(&path), checksum(&at)).expect("copied");
        }
        let line = restore(&place, &at, &[]).refusal();
        assert!(line.contains("damaged.backup is damaged: ") && line.contains("use another"), "{line}");
        if !database.is_postgres() {
            assert!(names(place.folder.path()).is_empty(), "{:?}", names(place.folder.path()));
        }
    }
    assert!(restore(&place, Path::new("/no/such.backup"), &[]).refusal().contains("no such file"));
    restore(&place, &path, &[]).well();
}

/// The counts do not add up in the database, and so not in its backup: the file is kept, but not under a backup's
/// name.
#[test]
fn a_backup_whose_counts_do_not_add_up_is_rejected() {
    let (database, _) = seeded_with_backup();
    database.execute("UPDATE ticket_types SET available = available - 1 WHERE name = 'VIP'");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let metrics = database.folder.path().join("backup.prom");
    let line = backup(&database, folder.path(), &["--metrics", &metrics.to_string_lossy()]).refusal();
    assert!(line.contains("verification failed") && line.contains("do not add up"), "{line}");
    let left = names(folder.path());
    assert!(left.iter().any(|name| name.ends_with(".unproved")), "{left:?}");
    assert!(!left.iter().any(|name| name.ends_with(".db") || name.ends_with(".dump")), "{left:?}");
    assert!(!metrics.exists(), "there is no success to tell of");
    assert_no_throwaway_is_left(&database);
}

#[test]
fn a_full_target_is_told_in_one_line_and_nothing_is_left_there() {
    let (database, path) = seeded_with_backup();
    let kib = u32::try_from(fs::metadata(&path).expect("a backup").len() / 1024).expect("small") / 2;
    let disk = SmallDisk::of_kib(kib.max(4) & !3);
    let mut backup = disk.starter();
    let techkraft = techkraft(&database);
    backup.arg(techkraft.get_program()).arg("backup").arg(disk.path().join("a.backup"));
    backup.envs(techkraft.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let line = super::Said::of(&mut backup).refusal();
    assert!(
        ["full", "No space left", "File too large", "disk I/O error"].iter().any(|it| line.contains(it)),
        "{line}"
    );
    assert!(names(disk.path()).is_empty(), "{:?}", names(disk.path()));
    assert_no_throwaway_is_left(&database);
}

fn checksum(path: &Path) -> String {
    format!("{}.sha256", path.display())
}

//! Who may read an SQLite database: this user alone. The program creates its files with these permissions;
//! files that are older, or that somebody has copied, may be open to the whole machine.

use std::path::Path;

/// Warns of files of the database that other users may read.
#[cfg(unix)]
pub fn warn_if_open(database: &Path) {
    let open: Vec<String> = files(database).iter().filter_map(|file| open_to_others(file)).collect();
    if !open.is_empty() {
        let open = open.join(" ");
        log::warn!("other users of this machine may read names, addresses and tickets: chmod 600 {open}");
    }
}

#[cfg(not(unix))]
pub fn warn_if_open(_: &Path) {}

#[cfg(unix)]
fn open_to_others(file: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| file.display().to_string())
}

/// The file, and those that SQLite has beside it.
#[cfg(unix)]
fn files(database: &Path) -> [std::path::PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

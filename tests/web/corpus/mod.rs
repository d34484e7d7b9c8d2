//! Checks the inputs in `fuzz/corpus`, including those that once broke something, against the properties of the fuzz
//! targets: see docs/fuzzing.md.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use testkit::properties::{calendar, client_address, codes, cookies, export, form};

#[test]
fn forms() {
    replay("form", form::holds);
}

#[test]
fn cookie_headers() {
    replay("cookies", cookies::holds);
}

#[test]
fn forwarding_headers() {
    replay("client_address", client_address::holds);
}

#[test]
fn codes_of_every_kind() {
    replay("codes", codes::holds);
}

#[test]
fn calendar_files() {
    replay("calendar", calendar::holds);
}

#[test]
fn exported_bookings() {
    replay("export", export::holds);
}

fn replay(target: &str, holds: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    assert!(paths.len() > 3, "{}: {} inputs", folder.display(), paths.len());
    let broken: Vec<_> = paths
        .iter()
        .filter(|path| {
            let input = fs::read(path).expect("a readable file");
            catch_unwind(|| holds(&input)).is_err()
        })
        .collect();
    assert!(broken.is_empty(), "{broken:?}");
}

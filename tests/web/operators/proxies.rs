//! The files for proxies: what a server takes gets through them.

use std::fs;
use std::path::Path;

use techkraft::resource::{LONG_BODY_BYTES_MAX, UPLOAD_BYTES_MAX};

/// The values of a setting, in bytes.
fn sizes(file: &str, setting: &str) -> Vec<usize> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{file}: {e}"));
    let values = text.lines().filter_map(|line| line.trim().strip_prefix(setting));
    values.map(|value| bytes(value.trim().trim_end_matches(';'))).collect()
}

fn bytes(size: &str) -> usize {
    let unit = size.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: usize = size.strip_suffix(unit).unwrap_or_default().parse().expect("a number");
    let bytes = match unit {
        "k" => 1 << 10,
        "KB" => 1_000,
        "m" | "MiB" => 1 << 20,
        other => panic!("{other} is no unit"),
    };
    number * bytes
}

#[test]
fn the_longest_form_and_the_largest_picture_get_through_each_proxy() {
    let files =
        [("deploy/nginx/techkraft.conf", "client_max_body_size "), ("deploy/caddy/Caddyfile", "max_size ")];
    for (file, setting) in files {
        let mut sizes = sizes(file, setting);
        sizes.sort_unstable();
        assert_eq!(sizes.len(), 2, "{file}: one for forms, one for pictures: {sizes:?}");
        assert!(sizes[0] >= LONG_BODY_BYTES_MAX && sizes[1] >= UPLOAD_BYTES_MAX, "{file}: {sizes:?}");
    }
}

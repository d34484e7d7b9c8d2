//! Static files: nginx serves them, in an encoding that the visitor accepts, cached forever.

use crate::nginx::front::{Front, between, header, unpacked};

/// Seen to fail without the map of encodings: each of the nine spellings of Accept-Encoding got a cached copy of its
/// own.
#[test]
fn the_server_gives_each_file_away_once_in_each_encoding() {
    let front = Front::open();
    let browser = Front::browser();
    let home = front.get(&browser, "/").text().expect("a page");
    let path = format!("/static/app.{}.css", between(&home, "/static/app.", ".css"));
    let ways = [
        ("gzip, deflate, br, zstd", "br"),
        ("br", "br"),
        ("gzip, br;q=0.001", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5,br;q=0", "gzip"),
        ("gzip, br;q=0.000", "gzip"),
        ("identity", "identity"),
        ("gzip;q=0", "identity"),
        ("deflate, abr, gzipped", "identity"),
    ];
    let mut styles = Vec::new();
    for (accepted, encoding) in ways.iter().cycle().take(2 * ways.len()) {
        let answer =
            browser.get(front.url(&path)).header("accept-encoding", *accepted).send().expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "content-encoding"), *encoding, "{accepted}");
        assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&answer, "vary"), "accept-encoding");
        assert_eq!(header(&answer, "set-cookie"), "");
        styles.push(unpacked(encoding, &answer.bytes().expect("a body")));
    }
    assert!(styles.iter().all(|style| *style == styles[0] && style.contains("@layer")));
    assert_eq!(front.origin_requests_of(&path), 3);
}

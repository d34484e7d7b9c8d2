//! Static files.

use crate::support::{TestApp, between, header};

#[test]
fn static_files_are_compressed_and_kept_for_ever() {
    let app = TestApp::spawn();
    let html = app.get("/").text().expect("a page");
    let path = format!("/static/app.{}.css", between(&html, "/static/app.", ".css"));
    let get = |encoding: &str| {
        let request = app.client.get(app.url(&path)).header("accept-encoding", encoding);
        request.send().expect("an answer")
    };
    let sizes: Vec<usize> = ["br", "gzip", "identity"]
        .map(|encoding| {
            let response = get(encoding);
            assert_eq!(header(&response, "content-encoding"), encoding);
            assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(header(&response, "vary"), "accept-encoding");
            assert_eq!(header(&response, "content-type"), "text/css; charset=utf-8");
            response.bytes().expect("a body").len()
        })
        .into();
    assert!(sizes[0] <= sizes[1] && sizes[1] < sizes[2], "{sizes:?}");
}

#[test]
fn every_file_that_the_page_names_is_there() {
    let app = TestApp::spawn();
    let html = app.get("/").text().expect("a page");
    let paths: Vec<&str> = html.split('"').filter(|part| part.starts_with("/static/")).collect();
    assert!(paths.len() >= 5, "{paths:?}");
    for path in paths {
        assert_eq!(app.get(path).status(), 200, "{path}");
    }
    assert_eq!(app.get("/favicon.ico").status(), 301);
    // The file's hash belongs to this release only, so the redirect to it is not cached forever.
    for path in ["/favicon.ico", "/robots.txt"] {
        assert_eq!(header(&app.get(path), "cache-control"), "public, max-age=3600");
    }
    assert!(app.get("/robots.txt").text().expect("a file").contains("Disallow: /bookings"));
}

#[test]
fn pages_are_compressed() {
    let app = TestApp::spawn();
    let response =
        app.client.get(app.url("/")).header("accept-encoding", "gzip, br").send().expect("an answer");
    assert_eq!(header(&response, "content-encoding"), "gzip");
    assert!(header(&response, "vary").to_lowercase().contains("hx-request"));
}

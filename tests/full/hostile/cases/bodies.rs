//! Bodies that are not of their declared type, far too large, or far larger when decompressed.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use techkraft::resource::LONG_BODY_BYTES_MAX;

use crate::hostile::case::{Case, posted};
use crate::hostile::stage::{FORM, Stage};

const MIB: usize = 1024 * 1024;
/// The pages that accept a form without a session.
const PAGES: [&str; 2] = ["/bookings", "/admin/sign-in"];

pub fn cases(stage: &Stage) -> Vec<Case> {
    let mut cases = types(stage);
    cases.extend(sizes());
    cases.extend(bombs());
    cases.extend(shapes(stage));
    cases
}

fn types(stage: &Stage) -> Vec<Case> {
    let form = stage.form();
    let mut cases = Vec::new();
    for (kind, expected) in TYPES {
        let line = format!("Content-Type: {kind}\r\n");
        cases.push(Case::body(format!("a form as {kind:?}"), "/bookings", &line, &form, expected));
    }
    cases.push(Case::body("a form as nothing", "/bookings", "", &form, "415|422"));
    let two = format!("Content-Type: text/plain\r\n{FORM}");
    cases.push(Case::body("a form as two things", "/bookings", &two, &form, "400|415"));
    cases
}

/// Content types that browsers let other sites send without a preflight, and others.
const TYPES: [(&str, &str); 14] = [
    ("text/plain", "415"),
    ("application/json", "415"),
    ("application/xml", "415"),
    ("text/html", "415"),
    ("multipart/form-data; boundary=x", "415"),
    ("multipart/form-data", "415"),
    ("application/x-www-form-urlencoded-x", "415"),
    ("application/x-www-form-urlencoded, text/plain", "415"),
    ("application/octet-stream", "415"),
    ("*/*", "415"),
    ("", "415"),
    (";", "415"),
    ("application/x-www-form-urlencoded; charset=utf-7", "415|422|400"),
    ("application/x-www-form-urlencoded; charset=../../x", "415|422|400"),
];

fn sizes() -> Vec<Case> {
    let mut cases = Vec::new();
    for page in PAGES {
        // The sign-in accepts longer bodies: it carries the form that an organizer had filled in before the session
        // ended.
        let most = if page == "/bookings" { 16 * 1024 } else { LONG_BODY_BYTES_MAX };
        let big = format!("name={}", "x".repeat(most));
        cases.push(Case::post(format!("{page}: too long"), page, &big, "413"));
        cases.push(Case::post(format!("{page}: 8 MiB"), page, vec![b'x'; 8 * MIB], "413|cut"));
        for length in ["120000", "1000000000000", "9223372036854775807", "18446744073709551615"] {
            let head =
                format!("POST {page} HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: {length}\r\n\r\nname=a");
            cases.push(Case::raw(format!("{page}: a length of {length}"), head, "413"));
        }
        let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
        let head = format!("POST {page} HTTP/1.1\r\nHost: x\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n");
        let small = format!("{head}6\r\nname=a\r\n0\r\n\r\n");
        cases.push(Case::raw(format!("{page}: in chunks"), small, "404|422"));
        cases.push(Case::raw(
            format!("{page}: chunks without end"),
            head.clone() + &chunk.repeat(64),
            "413 / 413 cut",
        ));
        let crumbs = head.clone() + &"1\r\nx\r\n".repeat(20_000) + "0\r\n\r\n";
        cases.push(Case::raw(format!("{page}: twenty thousand crumbs"), crumbs, "413 / 413 cut / 422"));
        let short = format!("POST {page} HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 100\r\n\r\nname=a");
        cases.push(Case::raw(format!("{page}: a body that never comes"), short, "cut"));
        cases.push(Case::raw(format!("{page}: chunks that never come"), head + "5\r\nna", "cut"));
        let asking = format!("{FORM}Expect: 100-continue\r\n");
        cases.push(Case::body(format!("{page}: asks first"), page, &asking, "name=a", "100 404|422"));
        cases.push(Case::body(
            format!("{page}: asks first for 8 MiB"),
            page,
            &asking,
            vec![b'x'; 8 * MIB],
            "100 413|cut / 413|417",
        ));
    }
    cases
}

fn bombs() -> Vec<Case> {
    let zeros = vec![b'a'; 20 * MIB];
    let gzipped = packed(GzEncoder::new(Vec::new(), Compression::best()), &zeros, GzEncoder::finish);
    let deflated = packed(ZlibEncoder::new(Vec::new(), Compression::best()), &zeros, ZlibEncoder::finish);
    let twice = packed(GzEncoder::new(Vec::new(), Compression::best()), &gzipped, GzEncoder::finish);
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
    brotli::BrotliCompress(&mut zeros.as_slice(), &mut brotli, &parameters).expect("it compresses");
    let mut cases = Vec::new();
    for page in PAGES {
        for (coding, body) in [
            ("gzip", &gzipped),
            ("x-gzip", &gzipped),
            ("deflate", &deflated),
            ("br", &brotli),
            ("gzip, gzip", &twice),
            ("gzip", &twice),
            ("zstd", &gzipped),
            ("identity", &gzipped),
            ("nothing", &gzipped),
        ] {
            let headers = format!("{FORM}Content-Encoding: {coding}\r\n");
            let name = format!("{page}: 20 MiB as {} KiB of {coding}", body.len() / 1024);
            cases.push(Case::body(name, page, &headers, body, "400|404|413|415|422"));
        }
        let headers = format!("{FORM}Content-Encoding: gzip\r\n");
        cases.push(Case::body(
            format!("{page}: no gzip at all"),
            page,
            &headers,
            "name=a",
            "400|404|415|422",
        ));
        let cut = &gzipped[..gzipped.len() / 2];
        cases.push(Case::body(format!("{page}: half a gzip"), page, &headers, cut, "400|404|413|415|422"));
    }
    cases
}

fn packed<W: std::io::Write>(
    mut into: W,
    bytes: &[u8],
    finish: fn(W) -> std::io::Result<Vec<u8>>,
) -> Vec<u8> {
    into.write_all(bytes).expect("it is written");
    finish(into).expect("it ends")
}

fn shapes(stage: &Stage) -> Vec<Case> {
    let json = format!("{}{}", "[".repeat(8000), "]".repeat(8000));
    let deep = format!("name{}=a", "[a]".repeat(4000));
    let part = "--x\r\nContent-Disposition: form-data; name=\"name\"; filename=\"../../x\"\r\n\r\na\r\n";
    let json_type = "Content-Type: application/json\r\n";
    let multipart = "Content-Type: multipart/form-data; boundary=x\r\n";
    vec![
        Case::body("JSON, 8,000 deep", "/bookings", json_type, &json, "415"),
        Case::body("a JSON object of 16 KiB", "/bookings", json_type, "{\"a\":1,".repeat(2000), "415"),
        Case::body("a thousand parts", "/bookings", multipart, part.repeat(1000), "413|415"),
        Case::body(
            "a boundary of 60 KiB",
            "/bookings",
            &format!("Content-Type: multipart/form-data; boundary={}\r\n", "x".repeat(60_000)),
            part,
            "431",
        ),
        Case::post("JSON as a form", "/bookings", &json, "404|422"),
        Case::post("brackets, 4,000 deep", "/bookings", &deep, "404|422"),
        Case::post("no fields", "/bookings", "", "404"),
        Case::post("separators alone", "/bookings", "&=&=&&&===", "404|422"),
        Case::post("half a percent sign", "/bookings", "name=%&email=%4&quantity=%zz", "404|422"),
        Case::post("thousands of fields", "/bookings", "a=&".repeat(5000), "404|413|422"),
        Case::post("a thousand times one field", "/bookings", "name=a&".repeat(1000), "400|422"),
        Case::post("a key twice", "/bookings", stage.form() + "&request_key=x", "400|422"),
        Case::post("a quantity twice", "/bookings", stage.form() + "&quantity=2", "400|422"),
        Case::post(
            "a field that nobody asked for",
            "/bookings",
            stage.form() + "&price_cents=1&status=canceled&id=1",
            "booked|422",
        ),
        Case::post("names in capitals", "/bookings", stage.form().to_uppercase(), "404|422"),
        Case::post("a NUL behind the form", "/bookings", stage.form() + "\0", "422|booked"),
        Case::post("semicolons between fields", "/bookings", stage.form().replace('&', ";"), "404|422"),
        Case::raw(
            "a body after the form's end",
            [posted("/bookings", FORM, b"name=a"), b"&email=b".to_vec()].concat(),
            "404 400|404",
        ),
    ]
}

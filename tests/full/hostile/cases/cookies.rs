//! Cookies that are forged, altered, cut off, mixed up, planted beside ours, or replayed.

use crate::hostile::case::{Case, posted};
use crate::hostile::stage::{FORM, Stage};
use crate::hostile::wire::exchange;

pub fn cases(stage: &Stage) -> Vec<Case> {
    let session = &stage.session;
    let (name, value) = session.split_once('=').expect("a cookie");
    let buyer = buyer_cookie(stage);
    let mut cases = vec![
        of_admin("the organizer's own", session, "200"),
        of_admin("none", "", "303"),
        of_admin("a buyer's as a session", &format!("{name}={buyer}"), "303"),
        of_admin("the session's under another name", &format!("buyer={value}; toast={value}"), "303"),
        of_admin("the session's name in capitals", &session.to_uppercase(), "303"),
        of_admin("one that was signed out", &signed_out(stage), "303"),
        of_admin("a planted one before", &format!("{name}=planted; {session}"), "200|303"),
        of_admin("a planted one behind", &format!("{session}; {name}=planted"), "200|303"),
        of_admin("in quotes", &format!("{name}=\"{value}\""), "200|303"),
        of_admin("nothing in it", &format!("{name}="), "303"),
        of_admin("a plain user", &format!("{name}=admin"), "303"),
        of_admin(
            "a JWT without a signature",
            &format!("{name}=eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."),
            "303",
        ),
        of_admin("SQL", &format!("{name}=' OR '1'='1"), "303"),
        of_admin("4 KiB", &format!("{name}={}", "A".repeat(4096)), "303"),
        of_admin("percent signs", &format!("{name}=%%%00%ff"), "303"),
    ];
    // Alters one character of the nonce, of the ciphertext, or of the tag; then cuts off either end, or adds
    // characters.
    for place in [0, 3, 15, 16, 20, value.len() / 2, value.len() - 6, value.len() - 2] {
        let mut altered = value.to_owned();
        let other = if altered[place..].starts_with('A') { "B" } else { "A" };
        altered.replace_range(place..=place, other);
        cases.push(of_admin(&format!("altered at {place}"), &format!("{name}={altered}"), "303"));
    }
    for cut in
        [&value[1..], &value[..value.len() - 4], &value[..16], &format!("{value}AAAA"), &value.repeat(2)]
    {
        cases.push(of_admin(
            &format!("{} of {} characters", cut.len(), value.len()),
            &format!("{name}={cut}"),
            "303",
        ));
    }
    for cookie in PLANTED {
        let line = format!("Cookie: {cookie}\r\n");
        cases.push(Case::headers(format!("cookie {cookie}"), "/", &line, "200|400"));
        let headers = format!("{FORM}{line}");
        cases.push(Case::body(
            format!("a booking with {cookie}"),
            "/bookings",
            &headers,
            stage.form(),
            "booked|400",
        ));
    }
    let mut bytes = b"Cookie: buyer=\x80\xff; toast=\xfe\r\n".to_vec();
    bytes.extend(b"Cookie: ;;;===;\r\n");
    cases.push(Case::headers("cookies that are no text", "/", bytes, "200"));
    cases
}

const PLANTED: [&str; 14] = [
    "buyer={\"name\":\"<script>alert(1)</script>\",\"email\":\"eve@example.org\"}",
    "buyer=%7B%22name%22%3A%22Eve%22%7D",
    "toast=+<script>alert(1)</script>",
    "toast=-injected",
    "buyer=",
    "buyer",
    "=buyer",
    "=",
    ";",
    "buyer=a; buyer=b; buyer=c",
    "__Host-buyer=x; __Secure-session=y",
    "$Version=1; buyer=x; $Path=/",
    "buyer=\"a; toast=b\"",
    "BUYER=x; Toast=y",
];

fn of_admin(what: &str, cookie: &str, expected: &'static str) -> Case {
    Case::headers(
        format!("the organizer's page with a cookie: {what}"),
        "/admin",
        format!("Cookie: {cookie}\r\n"),
        expected,
    )
}

fn signed_out(stage: &Stage) -> String {
    let session = stage.sign_in();
    let request = format!(
        "POST /admin/sign-out HTTP/1.1\r\nHost: localhost\r\nCookie: {session}\r\nContent-Length: 0\r\n\r\n"
    );
    let answers = exchange(stage.address(), request.as_bytes()).answers;
    assert_eq!(answers.first().map(|answer| answer.status), Some(303));
    session
}

/// A sealed cookie that anybody can get: that of a buyer who asks to be remembered.
fn buyer_cookie(stage: &Stage) -> String {
    let form = stage.form() + "&remember=1";
    let answers = exchange(stage.address(), &posted("/bookings", FORM, form.as_bytes())).answers;
    let cookie = answers.iter().find_map(|answer| answer.header("set-cookie")).expect("a cookie");
    cookie.split(['=', ';']).nth(1).expect("a value").to_owned()
}

//! Malformed request lines, and other data in their place.

use crate::hostile::case::Case;

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::raw("nothing but line ends", "\r\n\r\n\r\n", "cut"),
        Case::raw("line ends before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
        Case::raw("a NUL before the request", "\0GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
        Case::raw("one byte", "G", "cut"),
        Case::raw("half a head", "GET / HTTP/1.1\r\nHost: loc", "cut"),
        Case::raw("a head without its end", "GET / HTTP/1.1\r\nHost: localhost\r\n", "cut"),
        Case::raw("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(40), "400"),
        Case::raw("SSH", "SSH-2.0-OpenSSH_9.2\r\n", "400|cut"),
        Case::raw("SMTP", "EHLO localhost\r\nMAIL FROM:<a@b.co>\r\n\r\n", "400"),
        Case::raw("Redis", "*1\r\n$4\r\nPING\r\n\r\n", "400"),
        Case::raw(
            "PROXY protocol",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "400",
        ),
        Case::raw("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "400"),
        Case::raw("random bytes", (0..=255).cycle().take(4096).collect::<Vec<u8>>(), "400"),
        Case::raw("HTTP/0.9", "GET /\r\n\r\n", "400"),
        Case::raw("HTTP/0.9 without an end", "GET /\r\n", "400|cut"),
        Case::raw("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "200 cut"),
        Case::raw("HTTP/1.0 that stays", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200"),
        Case::raw("a post of HTTP/1.0 without a length", "POST /bookings HTTP/1.0\r\n\r\nname=a", "400"),
        Case::raw("bare line feeds", "GET / HTTP/1.1\nHost: localhost\n\n", "200|400"),
        Case::raw("bare carriage returns", "GET / HTTP/1.1\rHost: localhost\r\r", "400"),
        Case::raw("a carriage return too many", "GET / HTTP/1.1\r\r\nHost: localhost\r\n\r\n", "400"),
        Case::line("a method of 100 KiB", "A".repeat(100 * 1024) + " / HTTP/1.1", "431|cut"),
        Case::line("a method without end", "A".repeat(200 * 1024), "431|cut"),
        Case::get("a path of 8 KiB", "/".to_owned() + &"a".repeat(8 * 1024), "414"),
        Case::get("a path of 60 KiB", "/".to_owned() + &"a".repeat(60 * 1024), "414"),
        Case::get("a path that no URI may be", "/".to_owned() + &"a".repeat(70 * 1024), "400|414|431"),
        Case::get("a path of 200 KiB", "/".to_owned() + &"a".repeat(200 * 1024), "431|cut"),
        Case::get("a query of 60 KiB", "/?".to_owned() + &"a=b&".repeat(15 * 1024), "414"),
        Case::get("a path of 8,000 slashes", "/".repeat(8000), "308"),
        Case::get("a path of 8,000 parts", "/a".repeat(8000), "414"),
    ];
    for (line, expected) in LINES {
        cases.push(Case::line(format!("line {line:?}"), line, expected));
    }
    for byte in (0..0x20).chain([0x7f, 0x80, 0xff]) {
        let of = |before: &str, after: &str| [before.as_bytes(), &[byte], after.as_bytes()].concat();
        let in_target =
            Case::line(format!("byte {byte:#x} in the target"), of("GET /a", "b HTTP/1.1"), "400|404");
        let in_method = Case::line(format!("byte {byte:#x} in the method"), of("GE", "T / HTTP/1.1"), "400");
        cases.extend([in_target, in_method]);
    }
    cases
}

const LINES: [(&str, &str); 46] = [
    ("GET", "400"),
    ("GET /", "400"),
    ("GET  / HTTP/1.1", "400"),
    ("GET /  HTTP/1.1", "400"),
    (" GET / HTTP/1.1", "400"),
    ("GET\t/ HTTP/1.1", "400"),
    ("GET / HTTP/1.1 ", "400"),
    ("GET / HTTP/1.1 HTTP/1.1", "400"),
    ("GET /a b HTTP/1.1", "400"),
    ("GET / http/1.1", "400"),
    ("GET / HTTP/1.2", "400"),
    ("GET / HTTP/1.", "400"),
    ("GET / HTTP/1", "400"),
    ("GET / HTTP/1.10", "400"),
    ("GET / HTTP/01.1", "400"),
    ("GET / HTTP/-1.1", "400"),
    ("GET / HTTP/2.0", "400"),
    ("GET / HTTP/3", "400"),
    ("GET / HTTP/9.9", "400"),
    ("GET / HTTPS/1.1", "400"),
    ("GET / FTP/1.1", "400"),
    ("GET / HTTP 1.1", "400"),
    ("GET / HTTP/1,1", "400"),
    ("/ HTTP/1.1", "400"),
    ("HTTP/1.1 200 OK", "400"),
    ("GET HTTP/1.1", "400"),
    ("G@T / HTTP/1.1", "400"),
    ("GET: / HTTP/1.1", "400"),
    ("GET? / HTTP/1.1", "400"),
    ("get / HTTP/1.1", "405"),
    ("GET / HTTP/1.1\x00", "400"),
    ("GET index.html HTTP/1.1", "400|404"),
    ("GET ../ HTTP/1.1", "400"),
    ("GET ?x HTTP/1.1", "400"),
    ("GET #x HTTP/1.1", "400"),
    ("GET /#x HTTP/1.1", "200|400"),
    ("GET * HTTP/1.1", "400|404"),
    ("OPTIONS * HTTP/1.1", "400|404|405"),
    ("GET http://localhost/ HTTP/1.1", "200"),
    ("GET http://injected-host.example/ HTTP/1.1", "200"),
    ("GET http://injected-host.example//x// HTTP/1.1", "308"),
    ("GET http://user:secret@localhost/ HTTP/1.1", "200|400"),
    ("GET http:// HTTP/1.1", "400"),
    ("GET http:///x HTTP/1.1", "400|404"),
    ("GET file:///etc/passwd HTTP/1.1", "400|404"),
    ("GET javascript:alert(1) HTTP/1.1", "400|404"),
];

//! Methods that no page accepts, and ways to override the method.

use crate::hostile::case::{Case, posted};
use crate::hostile::stage::{FORM, Stage};

const METHODS: [&str; 14] = [
    "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "TRACK", "DEBUG", "PROPFIND", "MKCOL", "MOVE", "PURGE",
    "BAN", "QUERY", "FOO",
];

const PAGES: [&str; 13] = [
    "/",
    "/bookings",
    "/bookings/new",
    "/buyer/forget",
    "/events/midnight-parade",
    "/events/midnight-parade/availability",
    "/admin/sign-in",
    "/admin/reseed",
    "/admin/account",
    "/admin/password",
    "/admin/audit-log",
    "/admin/events/midnight-parade/terms",
    "/robots.txt",
];

const OVERRIDES: [&str; 5] =
    ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method", "_method"];

pub fn cases(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for method in METHODS {
        for page in PAGES {
            cases.push(Case::line(
                format!("{method} {page}"),
                format!("{method} {page} HTTP/1.1"),
                "405|403",
            ));
        }
    }
    for page in ["/", "/nowhere", "/admin", "/bookings/new", "/robots.txt"] {
        cases.push(Case::line(format!("HEAD {page}"), format!("HEAD {page} HTTP/1.1"), "200|303|404"));
    }
    for header in OVERRIDES {
        let name = format!("{header} in a GET");
        cases.push(Case::headers(name, "/bookings", format!("{header}: POST\r\n"), "303"));
        let headers = format!("{FORM}{header}: GET\r\n");
        let name = format!("{header} in a POST");
        cases.push(Case::body(name, "/events/midnight-parade", &headers, "a=b", "405"));
        let name = format!("{header} that deletes");
        let headers = format!("{FORM}{header}: DELETE\r\n");
        cases.push(Case::body(name, "/bookings", &headers, "_method=DELETE&name=a", "404"));
    }
    let body = stage.form();
    cases.push(Case::get("a booking by GET", format!("/bookings?{body}"), "303"));
    cases.push(Case::post("a form in the query of a POST", &format!("/bookings?{body}"), "", "404"));
    let request = String::from_utf8(posted("/bookings", FORM, body.as_bytes())).expect("text");
    for method in ["PUT", "PATCH", "post", "Post", "POSTS"] {
        let request = request.replacen("POST", method, 1);
        cases.push(Case::raw(format!("a booking by {method}"), request, "405|403"));
    }
    cases.extend([
        Case::raw(
            "CONNECT",
            "CONNECT injected-host.example:443 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n",
            "400|403|404|405",
        ),
        Case::raw("CONNECT to itself", "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", "400|403|405"),
        Case::raw(
            "TRACE shows no cookies",
            "TRACE / HTTP/1.1\r\nHost: x\r\nCookie: injected=1\r\n\r\n",
            "405",
        ),
    ]);
    cases
}

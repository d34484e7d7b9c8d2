//! Requests that another site's page sends in a visitor's name.

use crate::hostile::case::Case;
use crate::hostile::stage::{FORM, Stage};

/// All pages that change something.
const PAGES: [&str; 7] = [
    "/bookings",
    "/buyer/forget",
    "/admin/sign-in",
    "/admin/sign-out",
    "/admin/account",
    "/admin/password",
    "/admin/reseed",
];

pub fn cases(stage: &Stage) -> Vec<Case> {
    let session = &stage.session;
    let mut cases = Vec::new();
    for page in PAGES {
        let body = match page {
            "/bookings" => stage.form(),
            "/admin/sign-in" => format!("username=admin&password={}", stage.password),
            "/admin/account" => format!("session=all&password={}", stage.password),
            "/admin/password" => {
                let password = &stage.password;
                format!(
                    "current_password={password}&new_password=injected+here&repeated_password=injected+here"
                )
            }
            // A valid form: without the check it would delete all bookings.
            "/admin/reseed" => format!("event_name=Midnight+Parade&password={}", stage.password),
            _ => String::new(),
        };
        for origin in FOREIGN {
            let headers = format!("{FORM}Cookie: {session}\r\n{origin}\r\n");
            cases.push(Case::body(format!("{page} from {origin:?}"), page, &headers, &body, "403"));
        }
    }
    for (origin, expected) in OWN {
        let headers = format!("{FORM}{origin}\r\n");
        cases.push(Case::body(
            format!("a booking from {origin:?}"),
            "/bookings",
            &headers,
            stage.form(),
            expected,
        ));
    }
    // Other sites may request pages, but cannot read them.
    for page in ["/", "/admin", "/events/midnight-parade/availability"] {
        let lines = "Origin: https://injected-host.example\r\nSec-Fetch-Site: cross-site\r\n";
        cases.push(Case::headers(format!("{page} for another site"), page, lines, "200|303"));
    }
    let line = "OPTIONS /bookings HTTP/1.1\r\nHost: localhost\r\nOrigin: https://injected-host.example\r\n\
                Access-Control-Request-Method: POST\r\n\r\n";
    cases.push(Case::raw("a preflight", line, "403|405"));
    cases
}

const FOREIGN: [&str; 15] = [
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-site",
    "Sec-Fetch-Site: CROSS-SITE",
    "Sec-Fetch-Site: ",
    "Sec-Fetch-Site: same-origin, cross-site",
    "Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost",
    "Origin: https://injected-host.example",
    "Origin: null",
    "Origin: ",
    "Origin: localhost",
    "Origin: http://localhost.injected-host.example",
    "Origin: http://injected-host.example/http://localhost",
    "Origin: http://localhost:81",
    "Origin: http://localhost@injected-host.example",
    "Origin: http://localhost, http://injected-host.example",
];

const OWN: [(&str, &str); 6] = [
    ("Origin: http://localhost", "booked"),
    ("Sec-Fetch-Site: same-origin", "booked"),
    ("Sec-Fetch-Site: none", "booked"),
    ("Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost", "booked"),
    ("Referer: https://injected-host.example/", "booked"),
    ("X-Requested-With: XMLHttpRequest", "booked"),
];

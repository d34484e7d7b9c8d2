//! Paths and queries that leave their folder, are encoded twice, or contain what does not belong in a path.

use crate::hostile::case::Case;

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in TRAVERSALS {
        cases.push(Case::get(format!("path {path}"), path, "404|308|400"));
    }
    for (path, expected) in OTHERS {
        cases.push(Case::get(format!("path {path}"), path, expected));
    }
    for attack in ATTACKS {
        for page in ["/events/", "/bookings/", "/static/", "/admin/events/", "/"] {
            cases.push(Case::get(
                format!("path {page} with {attack}"),
                format!("{page}{attack}"),
                "404|400|303",
            ));
        }
        let query = format!("/bookings/new?ticket_type={attack}&quantity={attack}");
        cases.push(Case::get(format!("query with {attack}"), query, "404|400|422"));
        let query = format!("/?{attack}={attack}");
        cases.push(Case::get(format!("a query of nobody's with {attack}"), query, "200|400|422"));
    }
    cases.extend([
        Case::get("UTF-8 as it is", "/événements/é", "400|404"),
        Case::get("a path that is no UTF-8", b"/events/\xff\xfe", "400"),
        Case::headers("a fragment of no concert", "/events/nope/availability", "HX-Request: true\r\n", "404"),
        Case::get(
            "a thousand times the same field",
            format!("/bookings/new?{}", "quantity=1&".repeat(1000)),
            "414|422",
        ),
        Case::get("ten thousand fields", format!("/bookings/new?{}", "a=&".repeat(10_000)), "414|422"),
    ]);
    cases
}

const TRAVERSALS: [&str; 28] = [
    "/static/../Cargo.toml",
    "/static/../../../../etc/passwd",
    "/static/..%2f..%2fetc/passwd",
    "/static/%2e%2e/%2e%2e/etc/passwd",
    "/static/%252e%252e%252fetc%252fpasswd",
    "/static/..%c0%af..%c0%afetc/passwd",
    "/static/..%255c..%255cwindows/win.ini",
    "/static/..\\..\\windows\\win.ini",
    "/static/....//....//etc/passwd",
    "/static/.%00./etc/passwd",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/C:/windows/win.ini",
    "/static/\\\\injected-host.example\\share",
    "/static/file:///etc/passwd",
    "/static/.env",
    "/static/",
    "/static",
    "/static/app.css%00.html",
    "/static/app.css/..",
    "/.env",
    "/.git/config",
    "/techkraft.db",
    "/techkraft.db.secret",
    "/server-status",
    "/wp-login.php",
    "/cgi-bin/..%2f..%2fbin/sh",
    "/..;/admin",
];

const OTHERS: [(&str, &str); 31] = [
    ("//", "308"),
    ("//injected-host", "308"),
    ("///injected-host/", "308"),
    ("/\\injected-host/", "404"),
    ("//\\injected-host/", "404"),
    ("/%5Cinjected-host/", "308"),
    ("//%5Cinjected-host/", "308"),
    ("/%09/injected-host/", "308"),
    ("/%2f%2finjected-host/", "308"),
    ("/.//injected-host/", "308"),
    ("/a%0d%0aX-Injected:%201/", "308"),
    ("/a%0d%0a%0d%0a<script>alert(1)</script>/", "308|400"),
    ("/%e5%98%8a%e5%98%8dX-Injected:%201/", "308"),
    ("/events/midnight-parade/?next=//injected-host", "308"),
    ("/events/midnight-parade/?%0d%0aX-Injected:1", "308"),
    ("/admin/sign-in?next=https://elsewhere.example", "200"),
    ("/admin/sign-in?redirect=//elsewhere.example&url=javascript:alert(1)", "200"),
    ("/ADMIN", "404"),
    ("/Admin/Sales", "404"),
    ("/admin/..;/admin/sales", "404"),
    ("/admin%2fsales", "404"),
    ("/%61dmin", "303"),
    ("/admin%00", "404"),
    ("/admin%20", "404"),
    ("/admin.", "404"),
    ("/admin.json", "404"),
    ("/admin;a=b", "404"),
    ("/admin/./sales", "404"),
    ("/%", "404"),
    ("/%zz%", "404"),
    ("/events/midnight-parade%00", "404"),
];

/// These are percent-encoded where necessary, and used wherever a path contains a name.
const ATTACKS: [&str; 17] = [
    "'%20OR%201=1--",
    "1'%3BDROP%20TABLE%20bookings%3B--",
    "1;SELECT%20pg_sleep(5)",
    "1%20UNION%20SELECT%20null,null--",
    "%27%22%60%5C",
    "%00",
    "a%00b",
    "%C0%80",
    "%ED%A0%80",
    "%F4%90%80%80",
    "%E2%80%AE",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "%22%20onfocus=alert(1)%20x=%22",
    "{{7*7}}$%7B7*7%7D",
    "9223372036854775808",
    "-1",
    "AAAAAAAAAAAAAAAAAAAAAAAA",
];

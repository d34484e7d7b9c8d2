use crate::support::{TestApp, header};

#[test]
fn every_response_carries_the_headers_that_protect() {
    let app = TestApp::spawn();
    for path in ["/", "/nowhere", "/robots.txt", "/admin/sign-in", "/admin", "/bookings/new"] {
        let response = app.get(path);
        let policy = header(&response, "content-security-policy");
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&response, "referrer-policy"), "same-origin", "{path}");
        assert_eq!(header(&response, "server"), "", "{path}");
    }
}

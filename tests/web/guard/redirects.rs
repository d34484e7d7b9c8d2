//! Redirects stay on this site.

use crate::support::{TestApp, header};

#[test]
fn no_address_leads_to_another_site() {
    let app = TestApp::spawn();
    for (path, status, location) in [
        ("/events/midnight-parade/", 308, "/events/midnight-parade"),
        ("//evil.example//", 308, "/evil.example"),
        ("//%5Cevil.example/", 308, "/%5Cevil.example"),
        ("/%09/evil.example/", 308, "/%09/evil.example"),
        ("/a%0d%0aSet-Cookie:%20x=y/", 308, "/a%0d%0aSet-Cookie:%20x=y"),
    ] {
        let response = app.get(path);
        assert_eq!((response.status().as_u16(), header(&response, "location")), (status, location), "{path}");
    }
}

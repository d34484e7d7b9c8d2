//! Every address that the site has, so that a new one is guarded like the others.

use techkraft::resource::{HEALTH, METRICS, READINESS};

const ROUTES: &str = include_str!("../../../src/routes.rs");

/// The paths of the URL map, with things of this test's in the places of their names.
pub fn of_every_route(booking: &str) -> Vec<String> {
    let token = booking.rsplit('/').next().expect("a token");
    let code = ROUTES.split("#[cfg(test)]").next().expect("code");
    let paths = ["page(\"", "form(\"", "act(\""].iter().flat_map(|start| code.split(start).skip(1));
    let paths: Vec<String> = paths
        .filter_map(|rest| rest.split('"').next().filter(|path| path.starts_with('/')))
        .map(|path| path.replace("{slug}", "midnight-parade").replace("{token}", token))
        .map(|path| path.replace("{reference}", "TK-7F3K-9QXM").replace("{id}", "1"))
        .map(|path| path.replace("{name:.*}", "css/app.css"))
        .collect();
    let paths: Vec<String> =
        paths.into_iter().chain([HEALTH, READINESS, METRICS].map(str::to_owned)).collect();
    let unknown = paths.iter().find(|path| path.contains('{'));
    assert_eq!(unknown, None, "say here what stands for the name in braces");
    assert!(paths.len() > 15 && paths.contains(&booking.to_owned()), "{paths:?}");
    paths
}

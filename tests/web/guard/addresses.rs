//! Every URL of the site, so that these tests also cover new URLs.

use techkraft::resource::urls;

/// The path of every URL, with examples in place of its placeholders.
pub fn of_every_route(booking: &str) -> Vec<String> {
    let token = booking.rsplit('/').next().expect("a token");
    let paths = urls::ALL.iter().map(|endpoint| {
        let path = endpoint.pattern.replace("{slug}", "midnight-parade").replace("{token}", token);
        let path = path.replace("{reference}", "TK-7F3K-9QXM").replace("{id}", "1").replace("{step}", "mail");
        path.replace("{name:.*}", "css/app.css").replace("{name}", "none-480.jpg")
    });
    let paths: Vec<String> = paths.collect();
    let unknown = paths.iter().find(|path| path.contains('{'));
    assert_eq!(unknown, None, "add an example for this placeholder");
    assert!(paths.len() > 15 && paths.contains(&booking.to_owned()), "{paths:?}");
    paths
}

//! A server under load asks browsers to poll less often, and later lifts this by itself.

use std::thread;
use std::time::{Duration, Instant};

use techkraft::booking::desk::DeskLimits;
use techkraft::events::pace::PollSeconds;

use crate::support::{TestApp, between, browser, header};
use testkit::blockade::SlowDisk;

const FRAGMENT: &str = "/events/midnight-parade/availability";

#[test]
fn orders_that_pile_up_slow_the_polls_until_they_are_booked() {
    let app = TestApp::spawn_with(|config| {
        config.poll = PollSeconds { usual: 1, busy: 2 };
        config.desk = DeskLimits { queue_length: 8, batch_size: 512, deadline: Duration::from_secs(60) };
    });
    let usual_tag = wait_for_pace(&app, "1");
    let checkouts: Vec<_> = (0..5).map(|_| app.open_checkout("VIP", 1)).collect();
    let disk = SlowDisk::of(&app.database);
    thread::scope(|scope| {
        for checkout in &checkouts {
            scope.spawn(|| assert_eq!(app.confirm_as(&browser(), checkout, 1).status(), 303));
            // So that the worker takes the first by itself, and the others wait.
            thread::sleep(Duration::from_millis(100));
        }
        let slow_tag = wait_for_pace(&app, "2");
        assert_ne!(slow_tag, usual_tag, "a cache must not keep the other pace");
        let known = app.client.get(app.url(FRAGMENT)).header("if-none-match", &slow_tag).send();
        assert_eq!(known.expect("an answer").status(), 304);
        assert!(app.get("/").text().expect("a page").contains("data-poll-seconds=\"2\""));
        disk.end();
    });
    let booked_tag = wait_for_pace(&app, "1");
    assert!(
        booked_tag != usual_tag && app.get_fragment(FRAGMENT).text().expect("it").contains("<strong>95<")
    );
}

/// The ETag of the fragment, once the fragment asks for that polling interval.
fn wait_for_pace(app: &TestApp, seconds: &str) -> String {
    let begun = Instant::now();
    loop {
        let response = app.get_fragment(FRAGMENT);
        let tag = header(&response, "etag").to_owned();
        let html = response.text().expect("a fragment");
        if between(&html, "data-poll-seconds=\"", "\"") == seconds {
            return tag;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "never {seconds}: {html}");
        thread::sleep(Duration::from_millis(50));
    }
}

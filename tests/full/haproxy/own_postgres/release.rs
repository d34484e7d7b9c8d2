//! Releases on hosts behind HAProxy, and rollbacks.

use std::path::Path;

use crate::haproxy::crowd::during;
use crate::haproxy::fleet::{Fleet, HOSTS};

const BAD_RELEASE: &str = "tests/full/haproxy/bad_release.py";

#[test]
fn a_release_on_three_hosts_fails_nobody_and_loses_nothing() {
    let fleet = Fleet::open();
    fleet.put_green(testkit::binary());
    let (seen, (code, _)) = during(&fleet, || fleet.release(&[]));
    assert_eq!(code, Some(0));
    assert!(seen.failures.is_empty(), "{:#?}", seen.failures);
    assert_eq!((fleet.running("blue"), fleet.running("green")), (0, 3));
    assert_served_by(&fleet, "green");
    // The next release, for which this test takes the previous version, goes from green to blue.
    let (code, _) = fleet.release(&[("WATCH_SECONDS", "1")]);
    assert_eq!(code, Some(0));
    assert_served_by(&fleet, "blue");
}

#[test]
fn a_release_that_is_never_ready_meets_no_visitor() {
    let fleet = Fleet::open();
    fleet.put_green(Path::new(BAD_RELEASE));
    let settings = [("BAD_RELEASE", "never-ready"), ("READY_SECONDS", "5")];
    let (seen, (code, said)) = during(&fleet, || fleet.release(&settings));
    assert!(code == Some(1) && said.contains("web1-green: not ready within 5 s"), "{said}");
    assert!(seen.failures.is_empty(), "{:#?}", seen.failures);
    assert_rolled_back(&fleet);
}

#[test]
fn a_release_that_answers_500_is_found_out_before_anybody_else_asks_it() {
    let fleet = Fleet::open();
    fleet.put_green(Path::new(BAD_RELEASE));
    let (seen, (code, said)) = during(&fleet, || fleet.release(&[("BAD_RELEASE", "broken")]));
    assert!(code == Some(1) && said.contains("no good answer to /"), "{said}");
    assert!(seen.failures.is_empty(), "{:#?}", seen.failures);
    assert_rolled_back(&fleet);
}

/// The release is ready, and answers the script's own checks, but fails visitors, so only the error rate shows that
/// it is bad.
/// Seen to fail with a trial at a server's full share (TRIAL_PERCENT=100): 47 of 2,328 requests failed.
#[test]
fn a_release_that_fails_its_visitors_is_taken_back_after_a_few() {
    let fleet = Fleet::open();
    fleet.put_green(Path::new(BAD_RELEASE));
    let (seen, (code, said)) = during(&fleet, || fleet.release(&[("BAD_RELEASE", "fails-visitors")]));
    assert!(code == Some(1) && said.contains(" errors in "), "{said}");
    assert!(!seen.failures.is_empty(), "it was bad");
    let is_its = |why: &str| why.starts_with("500 by \"web1-green\"");
    assert!(seen.failures.iter().all(|failure| is_its(&failure.why)), "{:#?}", seen.failures);
    assert!(seen.failures.len() * 100 < seen.requests, "{} of {}", seen.failures.len(), seen.requests);
    assert_rolled_back(&fleet);
}

/// Whether the operator stops it, or an ssh connection is cut.
#[test]
fn a_release_that_is_stopped_half_way_goes_back() {
    let fleet = Fleet::open();
    fleet.put_green(testkit::binary());
    let settings = [("WATCH_SECONDS", "1")];
    let (seen, (code, said)) = during(&fleet, || fleet.release_until(&settings, "web2-green: serves"));
    assert!(code == Some(1) && said.contains("ROLLING BACK"), "{said}");
    assert!(seen.failures.is_empty(), "{:#?}", seen.failures);
    assert_rolled_back(&fleet);
}

fn assert_rolled_back(fleet: &Fleet) {
    assert_eq!((fleet.running("blue"), fleet.running("green")), (3, 0));
    assert_served_by(fleet, "blue");
}

/// Far more than one round: to HAProxy, a server that was used at 5 % of its weight has already had its share of the
/// next twenty rounds.
const ASKED: usize = 150;

/// Checks that each host serves, and only in this color.
fn assert_served_by(fleet: &Fleet, color: &str) {
    let mut visitor = fleet.visitor();
    let mut by: Vec<String> =
        (0..ASKED).map(|_| visitor.get("/").expect("a page").header("x-served-by").to_owned()).collect();
    by.sort();
    by.dedup();
    assert_eq!(by, HOSTS.map(|host| format!("{host}-{color}")));
}

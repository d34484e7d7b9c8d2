use std::thread;
use std::time::Duration;

use crate::site::Site;

/// Tried: with turns that always begin with the first, the other standby was never read; with
/// `Database::read` going to the primary, neither was.
#[test]
fn standbys_that_are_well_take_turns_and_the_primary_is_left_in_peace() {
    let site = Site::start();
    let _server = site.server();
    let counts = || [site.standbys[0].reads(), site.standbys[1].reads(), site.primary_reads()];
    let before = counts();
    thread::sleep(Duration::from_secs(2));
    let after = counts();
    let [first, second, primary] = [0, 1, 2].map(|index| after[index] - before[index]);
    println!("{first} and {second} reads of the standbys, {primary} of the primary");
    assert!(first >= 5 && second >= 5, "{first} and {second}");
    assert!(first.abs_diff(second) <= 2, "{first} and {second} are no turns");
    assert_eq!(primary, 0, "the primary was read as well");
}

//! The organizer can sign in from a new place while a botnet keeps guessing passwords.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use techkraft::auth::password_queue::SignInPace;

use super::throttle::{behind_a_proxy, try_at};
use crate::support::{TestApp, browser};

/// The default pace after the botnet has used up its burst.
const USED_UP: SignInPace =
    SignInPace { spacing: Duration::from_millis(200), interval: Duration::from_secs(1), burst: 0 };

/// The same as [`USED_UP`], but ten times as fast.
const QUICK: SignInPace =
    SignInPace { spacing: Duration::from_millis(20), interval: Duration::from_millis(100), burst: 0 };

/// Runs `organizer` while bots guess the account's password. Each attempt comes from the address that `from` returns.
/// A bot sends its next guess after it has an answer and `pause` has passed. Returns how many of the bots' passwords
/// were checked.
fn under_attack(
    server: SocketAddr,
    (bots, pause): (u32, Duration),
    from: impl Fn(u32) -> String + Sync,
    organizer: impl FnOnce(),
) -> u32 {
    let (is_over, numbers, looked_at) = (AtomicBool::new(false), AtomicU32::new(1), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..bots {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let address = from(numbers.fetch_add(1, Ordering::Relaxed));
                    match try_at(server, &browser(), &address, "admin", "a guess").status().as_u16() {
                        422 => drop(looked_at.fetch_add(1, Ordering::Relaxed)),
                        429 | 503 => {}
                        status => panic!("{status}"),
                    }
                    thread::sleep(pause);
                }
            });
        }
        // The attack is under way before the organizer comes.
        while looked_at.load(Ordering::Relaxed) < 4 {
            thread::sleep(Duration::from_millis(5));
        }
        organizer();
        is_over.store(true, Ordering::Relaxed);
    });
    looked_at.into_inner()
}

/// The attack from the review: about one attempt a second, each from another /64 of one host. The organizer has the
/// right password, and uses a browser and a network that were never used before. The organizer gets in on the first
/// try: this password is the first or second one that is checked from then on.
#[test]
fn one_host_with_any_number_of_networks_keeps_nobody_out() {
    let app = TestApp::spawn_with(|config| {
        behind_a_proxy(config);
        config.sign_in_pace = USED_UP;
    });
    let (bots, fresh) = (3, |number: u32| format!("2001:db8:7:{number:x}::1"));
    under_attack(app.address, (bots, Duration::from_secs(1)), fresh, || {
        for number in 1..4 {
            let begun = Instant::now();
            let from = format!("203.0.113.{number}");
            let signed_in = try_at(app.address, &browser(), &from, "admin", &app.admin_password);
            assert_eq!(signed_in.status(), 303, "{from}");
            // Two password checks, plus time for a busy machine.
            assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        }
    });
}

/// Here no two bots have anything in common, and each is new: this is an attacker's best case. The organizer gets a
/// share among all attempts that wait at the same time, and is not told to come back later.
#[test]
fn a_botnet_of_the_whole_internet_leaves_the_organizer_a_share() {
    let app = TestApp::spawn_with(|config| {
        behind_a_proxy(config);
        config.sign_in_pace = QUICK;
    });
    let everywhere = |number: u32| format!("{}.{}.1.1", 11 + number / 256, number % 256);
    let begun = Instant::now();
    let looked_at = under_attack(app.address, (4, Duration::ZERO), everywhere, || {
        for number in 1..4 {
            let from = format!("203.0.113.{number}");
            let signed_in = try_at(app.address, &browser(), &from, "admin", &app.admin_password);
            assert_eq!(signed_in.status(), 303, "{from}");
        }
    });
    let most = begun.elapsed().as_millis() / QUICK.interval.as_millis() + 1;
    assert!(u128::from(looked_at) <= most, "{looked_at} guesses where {most} are allowed");
}

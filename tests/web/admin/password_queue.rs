//! The cost of checking passwords, as the operating system counts it.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;

use crate::command_line::{Running, serve, techkraft};
use crate::support::{between, browser};
use testkit::database::TestDatabase;

/// A server that believes the address that a visitor states.
fn serve_everybody(database: &TestDatabase) -> Running {
    serve(techkraft(database).env("TRUSTED_PROXIES", "127.0.0.1").env("RATE_LIMITS", "off"))
}

fn guess(client: &Client, running: &Running, from: u64, username: &str) -> u16 {
    let form = [("username", username), ("password", "a guess")];
    let post = client.post(format!("{}/admin/sign-in", running.url)).form(&form);
    let from = format!("2001:db8:{:x}:{:x}::1", from >> 16, from & 0xffff);
    post.header("x-forwarded-for", from).send().expect("an answer").status().as_u16()
}

/// Processor time of the whole server so far, in nanoseconds as the system counts it.
fn processor_time(running: &Running) -> Duration {
    let threads = fs::read_dir(format!("/proc/{}/task", running.child.id())).expect("its threads");
    let times = threads.filter_map(|thread| {
        // A thread may end meanwhile.
        let times = fs::read_to_string(thread.expect("a thread").path().join("schedstat")).ok()?;
        Some(times.split_whitespace().next().expect("a time").parse::<u64>().expect("nanoseconds"))
    });
    Duration::from_nanos(times.sum())
}

/// The most memory that the server has had so far, in MiB.
fn memory_peak(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.child.id())).expect("its status");
    between(&status, "VmHWM:", "kB").trim().parse::<u64>().expect("a number") / 1024
}

#[test]
fn a_name_that_no_account_has_costs_as_much_as_one_that_there_is() {
    let database = TestDatabase::seeded();
    let mut running = serve_everybody(&database);
    let client = browser();
    let mut from = 0;
    let mut cost = |username: &str| {
        from += 1;
        let before = processor_time(&running);
        assert_eq!(guess(&client, &running, from, username), 422);
        processor_time(&running) - before
    };
    // Do one-time work before the first measurement.
    cost("warm up");
    let tries: Vec<_> = (0..6).map(|_| (cost("admin"), cost("nobody"))).collect();
    let least = |costs: &mut dyn Iterator<Item = Duration>| costs.min().expect("six tries");
    let known = least(&mut tries.iter().map(|costs| costs.0));
    let unknown = least(&mut tries.iter().map(|costs| costs.1));
    assert!(known > Duration::from_millis(5), "a hash is expensive: {known:?}");
    assert!(known.max(unknown) < known.min(unknown) * 3 / 2, "{known:?} and {unknown:?}: {tries:?}");
    running.child.kill().expect("it can be stopped");
    running.child.wait().expect("it ends");
}

#[test]
fn a_flood_of_sign_ins_costs_one_hash_at_a_time_and_stops_no_booking() {
    let database = TestDatabase::seeded();
    let mut running = serve_everybody(&database);
    // Make one booking and one sign-in first, so that only the flood is counted from here on.
    book(&running);
    let before = processor_time(&running);
    assert_eq!(guess(&browser(), &running, 0, "warm up"), 422);
    let cost_of_one = processor_time(&running) - before;
    let (memory_before, begun) = (memory_peak(&running), Instant::now());
    let (is_over, looked_at, sent_away, numbers) =
        (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(1));
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let client = browser();
                while !is_over.load(Ordering::Relaxed) {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    match guess(&client, &running, number, &format!("name {number}")) {
                        422 => looked_at.fetch_add(1, Ordering::Relaxed),
                        503 => sent_away.fetch_add(1, Ordering::Relaxed),
                        status => panic!("{status}"),
                    };
                }
            });
        }
        for _ in 0..10 {
            book(&running);
        }
        // Let the flood last for at least two seconds.
        thread::sleep(Duration::from_secs(2).saturating_sub(begun.elapsed()));
        is_over.store(true, Ordering::Relaxed);
    });
    let (looked_at, sent_away) = (looked_at.into_inner(), sent_away.into_inner());
    assert!(looked_at > 0 && sent_away > looked_at, "{looked_at} checked, {sent_away} sent away");
    let grown = memory_peak(&running) - memory_before;
    assert!(grown < 48, "{grown} MiB, of which a second hash would be 19");
    let elapsed = begun.elapsed();
    let busy = cost_of_one * u32::try_from(looked_at).expect("few");
    assert!(busy < elapsed / 2, "{busy:?} in {elapsed:?}");
    let most = elapsed.as_millis() / 200 + 1;
    assert!(u128::from(looked_at) <= most, "{looked_at} in {elapsed:?}");
    assert_eq!(database.tier("VIP").bookings, 11);
    let counts = [("audit_log WHERE action = 'sign-in failed'", 1), ("sign_in_brakes", 2)];
    for (table, rows_each) in counts {
        let rows = database.count(table);
        assert_eq!(rows, rows_each * (looked_at + 1), "{table}: an attempt that is sent away writes nothing");
    }
    running.child.kill().expect("it can be stopped");
    running.child.wait().expect("it ends");
}

fn book(running: &Running) {
    let client = browser();
    let page = client.get(&running.url).send().expect("an answer").text().expect("a page");
    let id = between(&page, "name=\"ticket_type\" value=\"", "\"");
    let checkout = client.get(format!("{}/bookings/new?ticket_type={id}", running.url)).send();
    let checkout = checkout.expect("an answer").text().expect("a page");
    let key = between(&checkout, "name=\"request_key\" value=\"", "\"");
    let form = [
        ("ticket_type", id),
        ("quantity", "1"),
        ("name", "Ada Lovelace"),
        // Each booking is for another person, because the tickets per person are limited.
        ("email", &format!("ada+{key}@example.org")),
        ("request_key", key),
    ];
    let booked = client.post(format!("{}/bookings", running.url)).form(&form).send().expect("an answer");
    assert_eq!(booked.status(), 303);
}

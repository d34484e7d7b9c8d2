//! Hostile requests, byte for byte over raw sockets, against the real binary on the database that `TEST_DATABASE_URL`
//! names. `cases` is the table of the requests and the allowed answers. For every request, the server must give no
//! forbidden answer, book nothing that it should not, log nothing that it should not, and still work afterward. Seen
//! to fail without the check of a form's origin, without the escaping of names, without nosniff, and with redirects
//! to paths that contain a backslash.

mod aftermath;
mod case;
mod cases;
mod clients;
mod decency;
mod siege;
mod stage;
mod wire;

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use case::{Case, Outcome};
use stage::Stage;

/// The number of clients that work through the table at once.
const CLIENTS: usize = 8;
/// Guards against a table that is empty by mistake.
const CASES_MIN: usize = 500;

#[test]
fn nothing_that_is_sent_does_any_harm() {
    let stage = Stage::set();
    let cases = cases::all(&stage);
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
    let (outcomes, wrong) = play(&stage, &cases);
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    // An order that was sent twice counts once.
    let tokens: HashSet<&str> = outcomes.iter().flat_map(Outcome::booked_tokens).collect();
    aftermath::is_well(&stage, &tokens);
    println!("{} cases, {} bookings among them", cases.len(), tokens.len());
}

/// Plays all cases; returns their outcomes, and a description of each failure.
fn play(stage: &Stage, cases: &[Case]) -> (Vec<Outcome>, Vec<String>) {
    let (next, played) = (AtomicUsize::new(0), Mutex::new((Vec::new(), Vec::new())));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = case.play(stage);
                    let wrong = case.wrong(&outcome);
                    let mut played = played.lock().expect("a lock");
                    played.0.push(outcome);
                    played.1.extend(wrong);
                }
            });
        }
    });
    played.into_inner().expect("a lock")
}

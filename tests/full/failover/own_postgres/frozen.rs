//! A primary that is frozen while a standby is promoted.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};
use testkit::wait::eventually;

use crate::failover::pair::{Pair, readiness};
use testkit::visitor::Visitor;

/// A query that only the readiness check sends.
const QUESTION: &str = "SELECT version AS mark";
const ASKERS: usize = 40;

/// If every call of `/readyz` sent its own query, a frozen database would block every connection of the pool.
#[test]
fn however_many_ask_for_readiness_the_database_is_asked_twice_a_second() {
    let pair = Pair::start();
    let server = pair.server();
    pair.database.execute("ALTER SYSTEM SET log_statement = 'all'");
    pair.database.execute("SELECT pg_reload_conf()");
    eventually("its statements are logged", || {
        readiness(&server);
        pair.primary.log().contains(QUESTION)
    });
    let before = pair.primary.log().matches(QUESTION).count();
    let begun = Instant::now();
    let start = Barrier::new(ASKERS);
    let asked: usize = thread::scope(|scope| {
        let askers: Vec<_> = (0..ASKERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut visitor = Visitor::new(server.address);
                    start.wait();
                    let until = Instant::now() + Duration::from_secs(2);
                    let mut asked = 0;
                    while Instant::now() < until {
                        assert_eq!(visitor.get("/readyz").expect("an answer").status, 200);
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        askers.into_iter().map(|asker| asker.join().expect("an asker")).sum()
    });
    let questions = pair.primary.log().matches(QUESTION).count() - before;
    let most = begun.elapsed().as_millis() as usize / 500 + 2;
    println!("{asked} times asked, {questions} questions to the database, {most} at most");
    assert!(asked > 10 * questions && questions <= most);
}

#[test]
fn a_frozen_primary_fails_readiness_but_delays_no_page() {
    let pair = Pair::start();
    let server = pair.server();
    assert_eq!(readiness(&server).status, 200);
    let frozen = pair.primary.freeze();
    eventually("the server is not ready", || {
        let answer = readiness(&server);
        answer.status == 503 && answer.body.contains("no response")
    });
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let mut visitor = Visitor::new(server.address);
        assert_eq!(visitor.get("/healthz").expect("an answer").status, 200);
        assert_eq!(visitor.get("/").expect("a page").status, 200);
        quickest = quickest.min(begun.elapsed());
        assert_eq!(readiness(&server).status, 503);
    }
    // A busy machine delays some of them; the frozen primary would delay all.
    assert!(quickest < Duration::from_secs(2), "{quickest:?}");
    drop(frozen);
    eventually("the server is ready", || readiness(&server).status == 200);
}

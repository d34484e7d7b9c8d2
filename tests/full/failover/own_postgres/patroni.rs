//! Patroni and etcd replace a primary that was killed.

use std::thread;
use std::time::{Duration, Instant};
use testkit::wait::{eventually, within};

use crate::failover::pair::{first_confirmation_after, readiness};
use crate::failover::patroni_cluster::{PROMOTED_WITHIN, Patroni};
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::visitor::Visitor;

const BUYERS: u64 = 16;

/// `kill -9` of the primary and all its processes.
/// Seen to fail with `synchronous_mode: false`: buyers saw 3604 confirmed bookings, and the database had 3280.
#[test]
fn patroni_replaces_a_killed_postgresql_and_makes_it_the_standby() {
    while_people_book(|patroni, rush, _| {
        commit_out_of_hearing(patroni);
        patroni.nodes[0].postgres.kill();
        assert_sold_after_a_promotion(patroni, rush, Instant::now());
    });
}

/// No Patroni is left on the lost machine to give up its lease, so the lease must expire. etcd has lost a member,
/// too.
#[test]
fn patroni_replaces_a_machine_that_is_gone_and_takes_it_back_as_the_standby() {
    while_people_book(|patroni, rush, server| {
        commit_out_of_hearing(patroni);
        patroni.nodes[0].kill();
        patroni.etcd.kill(0);
        let killed_at = Instant::now();
        eventually("the server is not ready", || readiness(server).status == 503);
        let page = Visitor::new(server.address).get("/").expect("a page");
        assert_eq!(page.status, 200, "pages are still shown");
        assert_sold_after_a_promotion(patroni, rush, killed_at);
        patroni.etcd.start_again(0);
        patroni.nodes[0].start();
    });
}

/// `patronictl switchover`, as an operator runs it before maintenance of a host.
#[test]
fn patroni_changes_the_primary_on_demand() {
    while_people_book(|patroni, rush, _| {
        let begun = Instant::now();
        thread::scope(|scope| {
            let (patroni, rush) = (&*patroni, rush);
            scope.spawn(|| patroni.switch_over());
            assert_sold_after_a_promotion(patroni, rush, begun);
        });
    });
}

/// People book before, during and after a change that leaves the second node the primary. Afterward the first node is
/// its synchronous standby, and both have each booking that people saw confirmed exactly once.
fn while_people_book(change: impl FnOnce(&mut Patroni, &Rush, &Server)) {
    let mut patroni = Patroni::start();
    let server = patroni.server();
    let rush = Rush::on(&patroni.database, [1_000_000; 3]);
    thread::scope(|scope| {
        let _end = rush.until_dropped();
        rush.send_buyers(scope, BUYERS, server.address);
        thread::sleep(Duration::from_secs(1));
        change(&mut patroni, &rush, &server);
        eventually("the server is ready", || readiness(&server).status == 200);
        within(PROMOTED_WITHIN, "the first host is the synchronous standby", || {
            patroni.nodes[0].is("synchronous")
        });
        thread::sleep(Duration::from_secs(1));
    });
    assert!(patroni.nodes[1].is("primary"));
    rush.assert_true(&patroni.database, &Visitor::new(server.address));
    eventually("both have the same bookings", || {
        let [standby, primary] = patroni.bookings();
        standby == primary
    });
}

/// For half a second, the primary's commits cannot reach its standby, so no buyer may see them confirmed.
fn commit_out_of_hearing(patroni: &Patroni) {
    patroni.nodes[0].stop_sending();
    thread::sleep(Duration::from_millis(500));
}

fn assert_sold_after_a_promotion(patroni: &Patroni, rush: &Rush, begun: Instant) {
    let promoted_at = patroni.nodes[1].promoted_at(PROMOTED_WITHIN);
    let before = rush.ledger.lock().expect("a lock").confirmed.partition_point(|it| it.at <= promoted_at);
    let resumed = first_confirmation_after(rush, promoted_at, before);
    println!("promoted after {:?}, the first booking {resumed:?} later", promoted_at - begun);
}

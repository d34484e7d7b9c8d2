//! Tests of the table of connections.

use super::*;

fn table(room: usize, proxies: &[&str]) -> Arc<ConnectionTable> {
    let proxies = TrustedProxies::new(proxies.iter().map(|network| network.parse().expect("a network")));
    Arc::new(ConnectionTable::new(room, NetworkLimits { proxies, is_on: true }))
}

fn admit(table: &Arc<ConnectionTable>, address: &str) -> Option<Connection> {
    table.admit(address.parse().expect("an address"))
}

/// Opens as many as the network gets.
fn fill(table: &Arc<ConnectionTable>, address: impl Fn(usize) -> String) -> Vec<Connection> {
    (0..table.room).map_while(|number| admit(table, &address(number))).collect()
}

fn is_cut(connection: &Connection) -> bool {
    let mut context = Context::from_waker(std::task::Waker::noop());
    connection.poll_cut(&mut context).is_ready()
}

#[test]
fn an_address_gets_its_part_and_what_it_gives_back() {
    let table = table(1000, &[]);
    let mut held = fill(&table, |_| "203.0.113.7".into());
    assert_eq!(held.len(), 40);
    assert!(admit(&table, "::ffff:203.0.113.7").is_none(), "the same address");
    let neighbor = admit(&table, "203.0.113.8");
    assert!(neighbor.is_some());
    held.pop();
    assert!(admit(&table, "203.0.113.7").is_some());
    drop((held, neighbor));
    assert_eq!(table.open.lock().count, 0);
    assert!(table.open.lock().networks.is_empty() && table.open.lock().entries.is_empty());
}

#[test]
fn ipv6_counts_by_64_and_more_widely_by_48() {
    let table = table(1000, &[]);
    let one_64 = fill(&table, |number| format!("2001:db8:0:1::{number:x}"));
    assert_eq!(one_64.len(), 40);
    let one_48 = fill(&table, |number| format!("2001:db8:0:{:x}::1", number + 2));
    assert_eq!(one_64.len() + one_48.len(), 200);
    assert!(admit(&table, "2001:db8:1::1").is_some(), "the next /48");
}

#[test]
fn proxies_and_small_servers_are_not_held_up() {
    let table = table(60, &["10.0.0.0/8"]);
    assert_eq!(fill(&table, |_| "10.1.2.3".into()).len(), 60);
    assert_eq!(fill(&table, |_| "192.0.2.1".into()).len(), NETWORK_MIN);
    let off = Arc::new(ConnectionTable::new(100, NetworkLimits::default()));
    assert_eq!(fill(&off, |_| "192.0.2.1".into()).len(), 100);
}

#[test]
fn silent_connections_go_when_room_is_scarce() {
    let table = table(100, &[]);
    let many = |count| (0..count).filter_map(|n| admit(&table, &format!("10.0.0.{n}"))).collect::<Vec<_>>();
    let (silent, asked, busy) = (many(70), many(5), many(5));
    asked.iter().for_each(Connection::set_waiting);
    busy.iter().for_each(Connection::set_busy);
    let later = table.opened + SILENCE_MAX + Duration::from_secs(1);
    table.make_room(later);
    assert!(!silent.iter().any(is_cut), "80 of 100 are not scarce");
    let last = many(1);
    table.make_room(table.opened);
    assert!(!silent.iter().any(is_cut), "they have not been silent for long");
    table.make_room(later);
    assert!(silent.iter().chain(&last).all(is_cut));
    assert!(!asked.iter().chain(&busy).any(is_cut));
}

#[test]
fn without_room_those_go_that_have_been_idle_longest() {
    let table = table(100, &[]);
    let all: Vec<_> = (0..100).filter_map(|n| admit(&table, &format!("10.0.0.{n}"))).collect();
    all.iter().for_each(Connection::set_busy);
    table.make_room(table.opened + Duration::from_secs(60));
    assert!(!all.iter().any(is_cut), "each has a request");
    for (number, connection) in all.iter().enumerate().filter(|(number, _)| *number != 7) {
        connection.entry.state.store((number as u64) << 1 | 1, Ordering::Relaxed);
    }
    table.make_room(table.opened + IDLE_MIN + Duration::from_millis(50));
    let cut: Vec<usize> = all.iter().enumerate().filter(|(_, it)| is_cut(it)).map(|(n, _)| n).collect();
    assert_eq!(cut, [0, 1]);
    all[0].set_busy();
    assert!(!is_cut(&all[0]), "a request that arrives just then is answered");
}

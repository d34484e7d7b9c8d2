//! Memory that must not grow with the number of visitors. This is a separate test program with one test at a time,
//! because it measures the memory of the process.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use techkraft::guard::limits::{Client, Limits, Rate, Rates};
use techkraft::resource::RateClass;

/// The memory that a million clients may add. Their addresses alone would be 16 MB.
const GROWTH_MAX: u64 = 1 << 20;

/// Seen to fail with a map (`governor`'s own store of keys) instead of the cells: the process grew by 69 MB.
#[test]
fn a_million_addresses_cost_no_memory_and_hide_nobody() {
    let rate: Rate = "10/hour".parse().expect("a rate");
    let limits = Limits::new(
        &Rates {
            pages: rate,
            polls: rate,
            static_files: rate,
            previews: rate,
            places: rate,
            bookings: rate,
            sign_in: rate,
            admin: rate,
            api: rate,
            api_token: rate,
            tickets: rate,
            token_tickets: rate,
        },
        None,
    );
    let take = |address: IpAddr| limits.take(RateClass::Bookings, Client::Network(address));
    let busy = IpAddr::V4(Ipv4Addr::BROADCAST);
    while take(busy).is_ok() {}

    let before = resident_bytes();
    let refused = (0..1_000_000).filter(|&it| take(Ipv4Addr::from_bits(it).into()).is_err()).count();
    let grown = resident_bytes().saturating_sub(before);
    println!("a million addresses: {grown} bytes more, {refused} refused");
    assert!(grown <= GROWTH_MAX, "{grown} bytes more");
    assert!(take(busy).is_err(), "who asks the most is remembered the longest");
    assert!(refused < 100, "{refused} are refused for what others have asked");

    // An attacker uses up the limit of each of 100,000 networks: other clients still have their limits.
    for number in 0..100_000 {
        let network = IpAddr::V6(Ipv6Addr::from_bits(number << 64));
        while take(network).is_ok() {}
    }
    let refused = (1..=100_000).filter(|&it| take(Ipv4Addr::from_bits(it << 8).into()).is_err()).count();
    println!("after an attack from 100,000 networks: {refused} of 100,000 others refused");
    assert!(refused < 100, "{refused} are refused for what others have asked");
    assert!(resident_bytes().saturating_sub(before) <= GROWTH_MAX, "still no more");
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells a process its pages");
    let pages: u64 = statm.split(' ').nth(1).expect("a number").parse().expect("a number");
    pages * 4096
}

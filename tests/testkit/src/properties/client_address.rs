//! X-Forwarded-For: regardless of what a client sends, the server uses the address that the nearest trusted proxy
//! saw.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderValue, X_FORWARDED_FOR};
use techkraft::guard::client_address::{TrustedProxies, network_of, of_headers};

const STRANGER: &str = "203.0.113.9";
const PROXY: &str = "10.0.0.1";
/// The address that the proxy saw.
const CLIENT: &str = "198.51.100.77";

/// The input is the header's value as the client sends it.
pub fn holds(input: &[u8]) {
    let Ok(sent) = HeaderValue::from_bytes(input) else { return };
    let seen = HeaderValue::from_static(CLIENT);
    is_in_a_network(address(PROXY, [&sent]));
    assert_eq!(address(STRANGER, [&sent, &seen]), known(STRANGER), "that peer is not trusted");
    assert_eq!(address(PROXY, [&sent, &seen]), known(CLIENT), "in a line of its own");
    let one_line = [input, b", ", CLIENT.as_bytes()].concat();
    let one_line = HeaderValue::from_bytes(&one_line).expect("both were values");
    assert_eq!(address(PROXY, [&one_line]), known(CLIENT), "{one_line:?}");
}

fn address<const COUNT: usize>(peer: &str, lines: [&HeaderValue; COUNT]) -> IpAddr {
    let proxies = TrustedProxies::new(["10.0.0.0/8".parse().expect("a network")]);
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(X_FORWARDED_FOR, line.clone());
    }
    of_headers(Some(SocketAddr::new(known(peer), 40_000)), &headers, &proxies)
}

fn is_in_a_network(address: IpAddr) {
    let network = network_of(address);
    assert_eq!(network_of(network), network);
    assert_eq!(address.to_canonical(), address, "one address, one way to write it");
    assert!(network.is_ipv6() || network == address);
}

fn known(address: &str) -> IpAddr {
    address.parse().expect("an address")
}

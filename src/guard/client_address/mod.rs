//! The address of the client, which rate limits count by and the log names.
//!
//! Behind a proxy every connection comes from the proxy, and the client's address is in `X-Forwarded-For`,
//! which anybody can write. So the header counts only if the peer is one of `TRUSTED_PROXIES`, and is read
//! from its end, where the nearest proxy wrote: each address was seen by the hop behind it, so the walk goes
//! left while the hops are trusted, and the first one that is not is the client. Everything further left is
//! only the client's claim. A place that holds no address (`unknown`, garbage) ends the walk at the last
//! known address.
//!
//! A rehearsal's simulated buyers are this program's own requests, over loopback. They prove that with a key that only
//! this process knows, and each is counted as a network of its own.
//!
//! `Forwarded` (RFC 7239) is not read: proxies pass a client's one on as it is.
//!
//! How often an address may ask does not belong here: see `guard::limits`.

mod trusted_proxies;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName, X_FORWARDED_FOR};
use actix_web::{HttpRequest, web};

pub use self::trusted_proxies::TrustedProxies;
use super::GuardSettings;

/// The address of clients whose address is unknown: all of them count as one.
pub const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Bits of an IPv6 address that name a network: a household has all the addresses of one (RFC 4291, section 2.5.4, and
/// RFC 7421).
const NETWORK_BITS: u32 = 64;

/// The client's address, an IPv4-mapped one as IPv4. A `ServiceRequest` has its `HttpRequest` in `request()`.
#[must_use]
pub fn of(request: &HttpRequest) -> IpAddr {
    let none = TrustedProxies::default();
    let settings = request.app_data::<web::Data<GuardSettings>>();
    let proxies = settings.map_or(&none, |settings| &settings.trusted_proxies);
    of_headers(request.peer_addr(), request.headers(), proxies)
}

/// The header in which a proxy that fills its cache names the visitor whose request caused it. It is not
/// `X-Forwarded-For`, because the cached response is for everybody: the visitor is counted only if there is
/// nothing to cache.
pub const CACHED_FOR: HeaderName = HeaderName::from_static("x-cached-for");

/// Whether a trusted proxy sends this request for its cache, not for a visitor.
#[must_use]
pub fn is_proxy_itself(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &TrustedProxies) -> bool {
    peer.is_some_and(|peer| proxies.include(peer.ip().to_canonical()))
        && !headers.contains_key(X_FORWARDED_FOR)
}

/// The client's address, from the peer of the connection and the headers.
#[must_use]
pub fn of_headers(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    named_in(&X_FORWARDED_FOR, peer, headers, proxies)
}

/// The address of the visitor who made a proxy ask for its cache; the proxy's own if it does not say.
#[must_use]
pub fn behind_cache(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    named_in(&CACHED_FOR, peer, headers, proxies)
}

fn named_in(
    header: &HeaderName,
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    proxies: &TrustedProxies,
) -> IpAddr {
    let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else { return UNKNOWN };
    if !proxies.include(peer) && !proxies.is_own(headers) {
        return peer;
    }
    walk(header, peer, headers, proxies)
}

/// The network that an address is counted in: an IPv4 address by itself, an IPv6 address by its /64.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => within(v6, NETWORK_BITS),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The network of that many bits that an IPv6 address is in.
#[must_use]
pub fn within(address: Ipv6Addr, bits: u32) -> IpAddr {
    let mask = u128::MAX << (u128::BITS - bits);
    IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
}

/// Goes from the peer to the left while the hops are trusted. All lines of the header are one list (RFC 9110, section
/// 5.3). Bytes that are not UTF-8 spoil only their own place: a proxy appends to whatever its visitor has sent.
fn walk(header: &HeaderName, peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let lines: Vec<_> = headers.get_all(header).collect();
    let mut known = peer;
    for line in lines.into_iter().rev() {
        let line = String::from_utf8_lossy(line.as_bytes());
        // Empty places mean nothing (RFC 9110, section 5.6.1).
        for place in line.rsplit(',').map(str::trim).filter(|place| !place.is_empty()) {
            let Some(address) = address_of(place) else { return known };
            known = address;
            if !proxies.include(known) {
                return known;
            }
        }
    }
    known
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|place| place.ip())),
    };
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{FORWARDED, HeaderValue};

    use super::*;

    const PROXIES: [&str; 4] = ["10.0.0.0/8", "192.0.2.7/32", "2001:db8:aaaa::/48", "::ffff:172.16.0.0/108"];

    fn client(peer: &str, lines: &[(HeaderName, &str)]) -> String {
        let proxies = TrustedProxies::new(PROXIES.iter().map(|network| network.parse().expect("a network")));
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.clone(), HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        let peer = SocketAddr::new(peer.parse().expect("an address"), 40_000);
        of_headers(Some(peer), &headers, &proxies).to_string()
    }

    fn check(cases: &[(&str, &str, &str)]) {
        for (peer, value, expected) in cases {
            assert_eq!(client(peer, &[(X_FORWARDED_FOR, value)]), *expected, "{value} from {peer}");
        }
    }

    #[test]
    fn a_program_names_the_buyers_of_its_own_rehearsals() {
        let name = |key: &'static str, proxies: &TrustedProxies| {
            let mut headers = HeaderMap::new();
            headers.insert(X_FORWARDED_FOR, HeaderValue::from_static("fd00:0:7::1"));
            headers.insert(HeaderName::from_static("x-rehearsal-key"), HeaderValue::from_static(key));
            of_headers(Some(([127, 0, 0, 1], 40_000).into()), &headers, proxies).to_string()
        };
        let own = TrustedProxies::default().with_own_key("a key");
        assert_eq!(name("a key", &own), "fd00:0:7::1");
        assert_eq!(name("another", &own), "127.0.0.1");
        assert_eq!(name("", &TrustedProxies::default()), "127.0.0.1");
        assert!(!format!("{own:?}").contains("a key"));
    }

    #[test]
    fn x_forwarded_for_counts_only_over_trusted_hops() {
        check(&[
            // Not from a trusted proxy.
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
            ("127.0.0.1", "198.51.100.1", "127.0.0.1"),
            ("::1", "198.51.100.1", "::1"),
            ("192.0.2.8", "198.51.100.1", "192.0.2.8"),
            ("2001:db8:aaab::1", "198.51.100.1", "2001:db8:aaab::1"),
            // From a trusted proxy.
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.255.255.255", "198.51.100.1", "198.51.100.1"),
            ("192.0.2.7", "198.51.100.1", "198.51.100.1"),
            ("2001:db8:aaaa::1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
            // The same proxies and clients as a dual-stack socket writes them.
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("172.17.0.1", "198.51.100.1", "198.51.100.1"),
            ("::ffff:172.17.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, ::ffff:10.0.0.2", "198.51.100.1"),
            ("::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"),
            // From the right: what the client wrote itself stands further left.
            ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "10.0.0.9, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2, 192.0.2.7", "198.51.100.1"),
            ("10.0.0.1", "1.2.3.4,198.51.100.1,2001:db8:aaaa::5", "198.51.100.1"),
            ("10.0.0.1", "10.0.0.3, 203.0.113.1, 10.0.0.2", "203.0.113.1"),
            // Only proxies all the way: the furthest.
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            // What is not an address ends the walk at the last known one.
            ("10.0.0.1", "unknown", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "198.51.100.1, 999.1.1.1, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "198.51.100.1; 10.0.0.2", "10.0.0.1"),
            ("10.0.0.1", "<script>", "10.0.0.1"),
            ("10.0.0.1", "127.1", "10.0.0.1"),
            ("10.0.0.1", "0x7f000001", "10.0.0.1"),
            ("10.0.0.1", "010.0.0.9", "10.0.0.1"),
            ("10.0.0.1", "fe80::1%eth0", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1 10.0.0.2", "10.0.0.1"),
            ("10.0.0.1", "\u{663}.1.1.1", "10.0.0.1"),
            ("10.0.0.1", "[198.51.100.1]", "10.0.0.1"),
            ("10.0.0.1", "[2001:db8::1", "10.0.0.1"),
            // Ports, brackets, blanks, empty places.
            ("10.0.0.1", "198.51.100.1:51234", "198.51.100.1"),
            ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
            ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
            ("10.0.0.1", "[::ffff:198.51.100.1]:443", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1:99999", "10.0.0.1"),
            ("10.0.0.1", "  198.51.100.1 ,\t10.0.0.2  ", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, , 10.0.0.2, ,", "198.51.100.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", ",,,", "10.0.0.1"),
        ]);
    }

    #[test]
    fn lines_are_one_list_and_forwarded_is_not_read() {
        let xff = X_FORWARDED_FOR;
        for (lines, expected) in [
            (vec![(xff.clone(), "1.2.3.4"), (xff.clone(), "198.51.100.1")], "198.51.100.1"),
            (vec![(xff.clone(), "198.51.100.1"), (xff.clone(), "10.0.0.2")], "198.51.100.1"),
            (vec![(xff.clone(), "198.51.100.1"), (xff.clone(), "no"), (xff.clone(), "10.0.0.2")], "10.0.0.2"),
            (vec![(FORWARDED, "for=198.51.100.1")], "10.0.0.1"),
            (vec![(FORWARDED, "for=1.2.3.4"), (xff.clone(), "198.51.100.1")], "198.51.100.1"),
            (vec![(FORWARDED, "for=1.2.3.4"), (xff.clone(), "unknown")], "10.0.0.1"),
            (vec![(FORWARDED, "for=1.2.3.4"), (xff, "")], "10.0.0.1"),
            (vec![], "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn unknown_clients_count_as_one() {
        assert_eq!(of_headers(None, &HeaderMap::new(), &TrustedProxies::default()), UNKNOWN);
        let request = actix_web::test::TestRequest::default().insert_header((X_FORWARDED_FOR, "1.2.3.4"));
        assert_eq!(of(&request.to_http_request()), UNKNOWN);
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_as_one() {
        let network = |address: &str| network_of(address.parse().expect("an address")).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2:ffff:ffff:ffff:ffff"), "2001:db8:1:2::");
        assert_ne!(network("2001:db8:1:3::"), network("2001:db8:1:2::"));
        assert_eq!(network("198.51.100.7"), "198.51.100.7");
        assert_eq!(network("::ffff:198.51.100.7"), "198.51.100.7");
    }
}

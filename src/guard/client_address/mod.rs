//! Whose request it is: the address that limits count by and that the log names.
//!
//! Behind a proxy every connection comes from the proxy, and the visitor's address stands in a header that
//! anybody could have written. So a header counts only when the peer is one of `TRUSTED_PROXIES`, and is
//! read from its end, where the nearest proxy wrote: each address there was seen by the hop behind it, so
//! the walk goes on to the left while the hops are trusted ones, and the first that is not is the client.
//! What stands further left is the client's own claim and changes nothing. A place that holds no address
//! (`unknown`, garbage) ends the walk at the last address that was known.
//!
//! Both headers are read: X-Forwarded-For, and Forwarded (RFC 7239) only when there is no X-Forwarded-For.
//! Proxies write one of them and pass the other on as it came, so a proxy that writes Forwarded must remove
//! the X-Forwarded-For of its visitors.

mod forwarded;
mod trusted_proxies;

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use actix_web::{HttpRequest, web};

use self::forwarded::{last_element, node_of};
pub use self::trusted_proxies::TrustedProxies;
use super::GuardSettings;

/// Who it is when nobody can say: all of those count as one.
pub const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Bits of an IPv6 address that name a network; whoever has one of those has all of its addresses (RFC 4291,
/// section 2.5.4, and RFC 7421).
const NETWORK_BITS: u32 = 64;

/// The client's address, an IPv4-mapped one as IPv4. A `ServiceRequest` has its `HttpRequest` in `request()`.
#[must_use]
pub fn of(request: &HttpRequest) -> IpAddr {
    let nobody = TrustedProxies::default();
    let settings = request.app_data::<web::Data<GuardSettings>>();
    let proxies = settings.map_or(&nobody, |settings| &settings.trusted_proxies);
    of_headers(request.peer_addr(), request.headers(), proxies)
}

/// Whether a trusted proxy asks in its own name: for a copy that it keeps for everybody.
#[must_use]
pub fn is_proxy_itself(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &TrustedProxies) -> bool {
    peer.is_some_and(|peer| proxies.include(peer.ip().to_canonical()))
        && !headers.contains_key(X_FORWARDED_FOR)
        && !headers.contains_key(FORWARDED)
}

/// The client's address, by the peer of the connection and what the headers say of it.
#[must_use]
pub fn of_headers(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else { return UNKNOWN };
    if !proxies.include(peer) {
        return peer;
    }
    if headers.contains_key(X_FORWARDED_FOR) {
        walk(peer, &lines(headers, &X_FORWARDED_FOR), proxies, last_item, address_of)
    } else {
        let address = |element: &str| node_of(element).as_deref().and_then(address_of);
        walk(peer, &lines(headers, &FORWARDED), proxies, last_element, address)
    }
}

/// The network that an address is counted in: an IPv4 address by itself, an IPv6 address by its /64.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mask = u128::MAX << (u128::BITS - NETWORK_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A header's lines from the last to the first: together they are one list (RFC 9110, section 5.3). What is no
/// text reads as no address, and only its own place: a proxy writes behind whatever its visitor has sent.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<Cow<'a, str>> {
    let mut lines: Vec<_> =
        headers.get_all(name).map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    lines.reverse();
    lines
}

/// Goes from the peer to the left, for as long as the hops are trusted. `last` takes the last place off a
/// list, and returns what is left of it.
fn walk<'a>(
    peer: IpAddr,
    lines: &'a [Cow<'a, str>],
    proxies: &TrustedProxies,
    last: impl Fn(&'a str) -> (Option<&'a str>, &'a str),
    address: impl Fn(&str) -> Option<IpAddr>,
) -> IpAddr {
    let mut known = peer;
    for line in lines {
        let mut rest = Some(line.as_ref());
        while let Some(list) = rest {
            let (before, place) = last(list);
            rest = before;
            // A list may have empty places, which mean nothing (RFC 9110, section 5.6.1).
            if place.trim().is_empty() {
                continue;
            }
            let Some(address) = address(place.trim()) else { return known };
            known = address;
            if !proxies.include(known) {
                return known;
            }
        }
    }
    known
}

fn last_item(list: &str) -> (Option<&str>, &str) {
    list.rsplit_once(',').map_or((None, list), |(before, last)| (Some(before), last))
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
    use actix_web::http::header::HeaderValue;

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

    pub(super) fn check(header: &HeaderName, cases: &[(&str, &str, &str)]) {
        for (peer, value, expected) in cases {
            assert_eq!(client(peer, &[(header.clone(), value)]), *expected, "{header}: {value} from {peer}");
        }
    }

    #[test]
    fn x_forwarded_for_counts_over_trusted_hops_alone() {
        check(
            &X_FORWARDED_FOR,
            &[
                // Nobody's word but a trusted proxy's.
                ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
                ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
                ("127.0.0.1", "198.51.100.1", "127.0.0.1"),
                ("::1", "198.51.100.1", "::1"),
                ("192.0.2.8", "198.51.100.1", "192.0.2.8"),
                ("2001:db8:aaab::1", "198.51.100.1", "2001:db8:aaab::1"),
                // A trusted proxy's.
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
                // What is no address ends the walk where it was last sure.
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
            ],
        );
    }

    #[test]
    fn lines_are_one_list_and_x_forwarded_for_goes_first() {
        let (xff, forwarded) = (X_FORWARDED_FOR, FORWARDED);
        for (lines, expected) in [
            (vec![(xff.clone(), "1.2.3.4"), (xff.clone(), "198.51.100.1")], "198.51.100.1"),
            (vec![(xff.clone(), "198.51.100.1"), (xff.clone(), "10.0.0.2")], "198.51.100.1"),
            (vec![(xff.clone(), "198.51.100.1"), (xff.clone(), "no"), (xff.clone(), "10.0.0.2")], "10.0.0.2"),
            (
                vec![(forwarded.clone(), "for=1.2.3.4"), (forwarded.clone(), "for=198.51.100.1")],
                "198.51.100.1",
            ),
            (vec![(forwarded.clone(), "for=1.2.3.4"), (xff.clone(), "198.51.100.1")], "198.51.100.1"),
            (vec![(forwarded.clone(), "for=1.2.3.4"), (xff.clone(), "unknown")], "10.0.0.1"),
            (vec![(forwarded, "for=1.2.3.4"), (xff, "")], "10.0.0.1"),
            (vec![], "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn nobody_in_particular_is_one_address() {
        assert_eq!(of_headers(None, &HeaderMap::new(), &TrustedProxies::default()), UNKNOWN);
        let request = actix_web::test::TestRequest::default().insert_header((X_FORWARDED_FOR, "1.2.3.4"));
        assert_eq!(of(&request.to_http_request()), UNKNOWN);
    }

    #[test]
    fn a_home_with_ipv6_is_one_network() {
        let network = |address: &str| network_of(address.parse().expect("an address")).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2:ffff:ffff:ffff:ffff"), "2001:db8:1:2::");
        assert_ne!(network("2001:db8:1:3::"), network("2001:db8:1:2::"));
        assert_eq!(network("198.51.100.7"), "198.51.100.7");
        assert_eq!(network("::ffff:198.51.100.7"), "198.51.100.7");
    }
}

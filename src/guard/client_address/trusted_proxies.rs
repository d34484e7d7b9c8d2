//! The proxies whose `X-Forwarded-For` counts.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv4Net};
use subtle::ConstantTimeEq as _;

/// How this program's own requests are known: see [`TrustedProxies::with_own_key`].
const OWN_KEY: HeaderName = HeaderName::from_static("x-rehearsal-key");

/// The networks of the trusted proxies.
#[derive(Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    own_key: Option<Arc<str>>,
}

/// Without the key.
impl fmt::Debug for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.networks.fmt(f)
    }
}

impl TrustedProxies {
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self { networks: networks.into_iter().map(canonical).collect(), own_key: None }
    }

    /// A request with this key in `X-Rehearsal-Key` is this program's own, and names its buyer as a proxy
    /// names its visitor. The key is random, and this process sends it only to itself.
    #[must_use]
    pub fn with_own_key(self, key: &str) -> Self {
        Self { own_key: Some(key.into()), ..self }
    }

    /// Whether this program itself sends a request.
    #[must_use]
    pub fn is_own(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(OWN_KEY);
        let matches = |key: &str| sent.is_some_and(|sent| key.as_bytes().ct_eq(sent.as_bytes()).into());
        self.own_key.as_deref().is_some_and(matches)
    }

    /// Whether no proxy is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether an address, an IPv4-mapped one as IPv4, is a trusted proxy's.
    #[must_use]
    pub fn include(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// A network of IPv4-mapped addresses (`::ffff:10.0.0.0/104`) becomes an IPv4 network, because addresses are compared
/// in that form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(v4, bits)| Ipv4Net::new(v4, bits).ok()).map_or(network, IpNet::V4)
}

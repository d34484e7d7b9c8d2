//! The setting of trusted proxies.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;
use ipnet::{IpNet, Ipv6Net};

use crate::guard::client_address::TrustedProxies;
use crate::start_error::StartError;

/// All IPv4 addresses, as IPv6 has them: `::ffff:0:0/96`.
const EVERY_IPV4: IpNet = IpNet::V6(Ipv6Net::new_assert(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped(), 96));

#[derive(Debug, Args)]
pub(super) struct ProxySettings {
    /// Addresses or networks of the proxies in front, such as 127.0.0.1,10.0.0.0/8: only from them is
    /// a visitor's address taken from X-Forwarded-For [default: none]
    #[arg(long, env = "TRUSTED_PROXIES", global = true)]
    trusted_proxies: Option<String>,
}

impl ProxySettings {
    pub(super) fn parse(&self) -> Result<TrustedProxies, StartError> {
        let typed = self.trusted_proxies.as_deref().unwrap_or_default().trim();
        let places = typed.split(',').map(str::trim).filter(|_| !typed.is_empty());
        Ok(TrustedProxies::new(places.map(parse_network).collect::<Result<Vec<_>, _>>()?))
    }
}

fn parse_network(text: &str) -> Result<IpNet, StartError> {
    let wrong = |wrong: &str, hint: &str| StartError::setting("TRUSTED_PROXIES", text, wrong, hint);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let network: IpNet = text.parse().map_err(|_| {
        wrong(
            "not an address or network",
            "write addresses or networks separated by commas, as 127.0.0.1,10.0.0.0/8",
        )
    })?;
    if network.prefix_len() == 0 || network.trunc() == EVERY_IPV4 {
        return Err(wrong("every client would be trusted", "name only the proxies"));
    }
    if network.trunc() != network {
        let hint = format!("write {} for the network, or only the address", network.trunc());
        return Err(wrong("an address with a network's length", &hint));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Result<TrustedProxies, StartError> {
        ProxySettings { trusted_proxies: Some(typed.into()) }.parse()
    }

    #[test]
    fn networks_and_addresses_are_read_and_nothing_else() {
        for typed in ["127.0.0.1", "10.0.0.0/8, ::1 ,2001:db8::/32", "::ffff:10.0.0.0/104"] {
            assert!(!parse(typed).expect(typed).is_empty());
        }
        assert!(parse(" ").expect("valid").is_empty());
        for (typed, says) in [
            ("localhost", "not an address or network"),
            ("10.0.0.0/33", "not an address or network"),
            ("10.0.0.1,", "not an address or network"),
            ("10.0.0.1 10.0.0.2", "not an address or network"),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("0.0.0.0/0", "every client"),
            ("10.0.0.1,::/0", "every client"),
            ("::ffff:0:0/96", "every client"),
            ("::ffff:10.0.0.1/96", "every client"),
        ] {
            let message = parse(typed).expect_err(typed).to_string();
            assert!(message.starts_with("TRUSTED_PROXIES=") && message.contains(says), "{message}");
        }
    }
}

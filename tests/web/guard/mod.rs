//! The protections between the network and the pages.

mod addresses;
mod bots;
mod cookies;
mod cross_site;
mod headers;
mod input;
pub mod limits;
mod links;
mod logs;
mod own_host;
mod panics;
mod redirects;
mod secrets;
mod shape;

use techkraft::guard::client_address::TrustedProxies;

/// The setting, as networks.
fn proxies(networks: &[&str]) -> TrustedProxies {
    TrustedProxies::new(networks.iter().map(|network| network.parse().expect("a network")))
}

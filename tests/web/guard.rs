//! What stands between the network and the pages.

mod cookies;
mod cross_site;
mod headers;
mod links;
mod panics;
mod redirects;
mod secrets;
mod shape;

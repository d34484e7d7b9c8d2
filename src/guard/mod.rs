//! What stands between the network and the pages: the secret that signs, the cookies that it seals, the
//! headers on every response, the refusal of what other sites send in a visitor's name, and whose request
//! it is.

pub mod client_address;
pub mod cookies;
pub mod headers;
pub mod origin;
pub mod secret;
mod store;

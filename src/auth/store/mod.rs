//! The SQL of accounts, sessions and wrong passwords. Tables of other rooms are never touched here.

pub mod accounts;
pub mod sessions;
pub mod throttle;

//! Code that the benchmarks share: load, machines and statistics.

/// The result of a benchmark: an error is printed and ends it.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub mod database;
pub mod form;
pub mod histogram;
pub mod machine;
pub mod postgres;
pub mod results;
pub mod rush;
pub mod server;

//! What the benchmarks share: load, machines and figures.

/// What a benchmark returns: its errors are printed and end it.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub mod database;
pub mod figures;
pub mod form;
pub mod histogram;
pub mod machine;
pub mod postgres;
pub mod rush;
pub mod server;

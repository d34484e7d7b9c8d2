//! Tests that stop PostgreSQL, or that need its clock and different clocks of servers.

mod away;
mod clocks;

//! Tests that stop PostgreSQL, or need its clock beside other ones.

mod away;
mod clocks;

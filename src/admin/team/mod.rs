//! The team: who has an account, in which role, and who is invited. Only owners open these pages, except the
//! page on which somebody who is invited makes their account.

pub mod acceptance;
pub mod index;
mod letter;
pub mod member;
pub mod rule;
pub mod words;

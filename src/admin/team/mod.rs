//! The team: who has an account, in which role, and who is invited. Only owners open these pages, except the
//! page on which somebody who is invited makes their account.
//!
//! What each role may open does not belong here: see `auth::access`.

pub mod acceptance;
pub mod index;
mod invitation_mail;
pub mod member;
pub mod rule;
pub mod words;

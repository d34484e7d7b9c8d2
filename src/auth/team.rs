//! The team: the accounts of a site as its owners see them.

use chrono::NaiveDateTime;

use crate::role::AccountRole;

/// An account.
#[derive(Debug, Clone)]
pub struct TeamMember {
    pub id: i64,
    pub username: String,
    /// `None` for an account that was made without an invitation.
    pub email: Option<String>,
    pub role: AccountRole,
    /// UTC.
    pub signed_in_at: Option<NaiveDateTime>,
    pub has_second_factor: bool,
}

/// An account to be made from an invitation.
#[derive(Debug, Clone)]
pub struct NewMember {
    pub username: String,
    /// In PHC string format.
    pub password_hash: String,
}

/// Why nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeamRefusal {
    /// The person who wanted the change is no longer an owner.
    NoOwner,
    /// The site would have no owner left.
    LastOwner,
    /// The account, or the invitation, is not there any more.
    Gone,
    /// The address has an account.
    AddressTaken,
    /// The change is only for other people's accounts.
    Own,
    /// The account has no address.
    NoAddress,
    /// An account has this username, or had it once.
    NameTaken,
    /// There are as many accounts and invitations as a site may have.
    Full,
}

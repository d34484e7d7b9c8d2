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
    /// Who wanted it is no owner any more.
    NoOwner,
    /// There would be no owner.
    LastOwner,
    /// The account, or the invitation, is not there any more.
    Gone,
    /// The address has an account.
    AddressTaken,
    /// It is for other accounts.
    Own,
    /// The account has no address.
    NoAddress,
    /// The username is somebody's, or was.
    NameTaken,
    /// There are as many accounts and invitations as a site may have.
    Full,
}

//! What these pages say when nothing was changed.

use crate::auth::invitation::UsernameError;
use crate::auth::team::TeamRefusal;

/// To the owner who wanted the change, or to somebody who accepts an invitation.
#[must_use]
pub fn refused(refusal: TeamRefusal) -> &'static str {
    match refusal {
        TeamRefusal::NoOwner => "You are no longer an owner. Nothing was changed.",
        TeamRefusal::LastOwner => {
            "This is the only owner. Make somebody else an owner first. Nothing was changed."
        }
        TeamRefusal::Gone => "This account was removed. Nothing was changed.",
        TeamRefusal::AddressTaken => {
            "Someone with this address is already on the team. Open their account to send a link for a new password."
        }
        TeamRefusal::Own => "Your own second factor is on your account page. Nothing was changed.",
        TeamRefusal::NoAddress => "This account has no address to write to.",
        TeamRefusal::NameTaken => "This username is taken. Choose another one.",
        TeamRefusal::Full => "There are as many accounts and invitations as a site can have.",
    }
}

/// Beside the field of a username.
#[must_use]
pub fn username(error: UsernameError) -> &'static str {
    match error {
        UsernameError::Length => "Use 3 to 32 characters.",
        UsernameError::Characters => {
            "Use letters from a to z, digits, dots, hyphens and underscores, and begin with a letter or a digit."
        }
        UsernameError::Taken => "This username is taken. Choose another one.",
    }
}

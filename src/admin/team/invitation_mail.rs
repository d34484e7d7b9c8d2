//! A new invitation: its row, its mail, and its link.

use chrono::{SubsecRound as _, Utc};

use crate::app::App;
use crate::auth::invitation::{self, InvitationMail, NewInvitation};
use crate::auth::session::Admin;
use crate::auth::store::invitations;
use crate::auth::team::TeamRefusal;
use crate::auth::token;
use crate::db::Db;
use crate::outbox::{self, MailKind, NewMail};
use crate::role::AccountRole;

/// An invitation to be made and mailed.
pub struct MailedInvitation {
    new: NewInvitation,
    mail: NewMail,
    pub link: String,
}

impl MailedInvitation {
    /// To somebody new, or for a new password of an account.
    #[must_use]
    pub fn new(app: &App, admin: &Admin, email: String, role: AccountRole, username: Option<String>) -> Self {
        let opened = token::random();
        let new = NewInvitation {
            token_hash: token::hash(&opened),
            email: email.clone(),
            role,
            username: username.clone(),
            invited_by: admin.account_id,
            expires_at: Utc::now().naive_utc().trunc_subsecs(0) + invitation::LIFETIME,
        };
        let link = format!("{}/invitations/{opened}", app.public_url);
        let content = InvitationMail {
            token: opened,
            role,
            invited_by: admin.username.clone(),
            expires_at: new.expires_at,
            username,
        };
        let mail = NewMail {
            kind: MailKind::Invitation,
            booking_id: None,
            dedupe_key: None,
            recipient: Some(email),
            payload: Some(app.invitation_seal.seal(&content)),
        };
        Self { new, mail, link }
    }

    /// Writes the invitation and its mail, inside the caller's transaction.
    pub fn send(&self, db: &mut Db, admin: &Admin) -> diesel::QueryResult<Result<(), TeamRefusal>> {
        if let Err(refusal) = invitations::invite(db, &self.new, &admin.actor(), Utc::now().naive_utc())? {
            return Ok(Err(refusal));
        }
        outbox::store::enqueue(db, &self.mail)?;
        Ok(Ok(()))
    }
}

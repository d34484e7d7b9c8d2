//! The SQL of invitations, and of links for a new password.

use std::collections::HashMap;

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::{sessions, stored};
use crate::audit::{self, Action, Actor};
use crate::auth::invitation::{Invitation, NewInvitation, TEAM_MAX};
use crate::auth::team::{NewMember, TeamRefusal};
use crate::db::{Db, lock_first_rows};
use crate::role::AccountRole;
use crate::schema::{admins, audit_log, invitations};

/// The invitations that can still be used, the newest first.
pub fn list(db: &mut Db, now: NaiveDateTime) -> QueryResult<Vec<Invitation>> {
    open(db, None, now)
}

/// The invitation that a link opens.
pub fn find(db: &mut Db, token_hash: &str, now: NaiveDateTime) -> QueryResult<Option<Invitation>> {
    Ok(open(db, Some(token_hash), now)?.pop())
}

type InvitationRow = (i64, String, AccountRole, String, NaiveDateTime);

fn open(db: &mut Db, token_hash: Option<&str>, now: NaiveDateTime) -> QueryResult<Vec<Invitation>> {
    let mut open = invitations::table
        .inner_join(admins::table)
        .filter(invitations::expires_at.gt(now))
        .order(invitations::id.desc())
        .select((
            invitations::id,
            invitations::email,
            invitations::role,
            admins::username,
            invitations::expires_at,
        ))
        .into_boxed();
    if let Some(token_hash) = token_hash {
        open = open.filter(invitations::token_hash.eq(token_hash.to_owned()));
    }
    let rows: Vec<InvitationRow> = open.load(db)?;
    let emails: Vec<&str> = rows.iter().map(|(_, email, ..)| email.as_str()).collect();
    let of_accounts: Vec<(Option<String>, String)> = admins::table
        .filter(admins::email.eq_any(emails))
        .select((admins::email, admins::username))
        .load(db)?;
    let mut of_accounts: HashMap<String, String> =
        of_accounts.into_iter().filter_map(|(email, username)| Some((email?, username))).collect();
    let invitation = |(id, email, role, invited_by, expires_at): InvitationRow| {
        let username = of_accounts.remove(&email);
        Invitation { id, email, role, invited_by, expires_at, username }
    };
    Ok(rows.into_iter().map(invitation).collect())
}

/// Invites an address in place of its earlier invitation, if any. Returns the new id. Deletes expired ones.
pub fn invite(
    db: &mut Db,
    new: &NewInvitation,
    actor: &Actor,
    now: NaiveDateTime,
) -> QueryResult<Result<i64, TeamRefusal>> {
    lock_first_rows(db)?;
    // The account may have lost the right since the request came in.
    let is_owner: bool = diesel::select(exists(
        admins::table.filter(admins::id.eq(new.invited_by)).filter(admins::role.eq(AccountRole::Owner)),
    ))
    .get_result(db)?;
    if !is_owner {
        return Ok(Err(TeamRefusal::NoOwner));
    }
    let of_address = admins::table.filter(admins::email.eq(&new.email)).select(admins::username);
    let of_address: Option<String> = of_address.first(db).optional()?;
    if of_address != new.username {
        let is_new = new.username.is_none();
        return Ok(Err(if is_new { TeamRefusal::AddressTaken } else { TeamRefusal::Gone }));
    }
    let over_or_replaced = invitations::expires_at.le(now).or(invitations::email.eq(&new.email));
    diesel::delete(invitations::table.filter(over_or_replaced)).execute(db)?;
    let count: i64 = admins::table.count().get_result(db)?;
    let invited: i64 = invitations::table.count().get_result(db)?;
    if count + invited >= TEAM_MAX {
        return Ok(Err(TeamRefusal::Full));
    }
    let id = diesel::insert_into(invitations::table)
        .values((
            invitations::token_hash.eq(&new.token_hash),
            invitations::email.eq(&new.email),
            invitations::role.eq(new.role),
            invitations::invited_by.eq(new.invited_by),
            invitations::created_at.eq(now),
            invitations::expires_at.eq(new.expires_at),
        ))
        .returning(invitations::id)
        .get_result(db)?;
    let what = new.username.clone().unwrap_or_else(|| new.role.label().to_lowercase());
    let action = if new.username.is_none() { Action::Invited } else { Action::PasswordLinkSent };
    audit::store::record(db, actor, action, &format!("invitation {id}: {what}"), 1)?;
    Ok(Ok(id))
}

/// Takes an invitation back. Returns whether there was one.
pub fn withdraw(db: &mut Db, id: i64, actor: &Actor) -> QueryResult<bool> {
    let withdrawn = diesel::delete(invitations::table.find(id)).execute(db)?;
    if withdrawn == 1 {
        audit::store::record(db, actor, Action::InvitationWithdrawn, &format!("invitation {id}"), 1)?;
    }
    Ok(withdrawn == 1)
}

/// Makes the account that an invitation is for, and uses the invitation up.
pub fn accept(
    db: &mut Db,
    token_hash: &str,
    new: &NewMember,
    client_address: &str,
) -> QueryResult<Result<(i64, AccountRole), TeamRefusal>> {
    lock_first_rows(db)?;
    if is_name_taken(db, &new.username)? {
        return Ok(Err(TeamRefusal::NameTaken));
    }
    let now = Utc::now().naive_utc();
    // Deleting comes first: of two requests that use it at once, one waits here and then finds none.
    let invitation = invitations::table.filter(invitations::token_hash.eq(token_hash));
    let found: Option<(i64, String, AccountRole, NaiveDateTime)> = diesel::delete(invitation)
        .returning((invitations::id, invitations::email, invitations::role, invitations::expires_at))
        .get_result(db)
        .optional()?;
    let Some((invitation_id, email, role, _)) = found.filter(|(.., expires_at)| *expires_at > now) else {
        return Ok(Err(TeamRefusal::Gone));
    };
    let id = diesel::insert_into(admins::table)
        .values((
            admins::username.eq(&new.username),
            admins::password_hash.eq(stored(role, &new.password_hash)),
            admins::created_at.eq(now),
            admins::role.eq(role),
            admins::email.eq(email),
        ))
        .returning(admins::id)
        .get_result(db)?;
    let actor = Actor { name: new.username.clone(), client_address: client_address.to_owned() };
    let subject = format!("invitation {invitation_id}: {}", role.label().to_lowercase());
    audit::store::record(db, &actor, Action::InvitationAccepted, &subject, 1)?;
    audit::store::record(db, &actor, Action::AccountMade, &new.username, 1)?;
    Ok(Ok((id, role)))
}

/// Sets the password of the account that the invitation's address has, and ends its sessions. Starts no
/// session: the sign-in still asks for a second factor.
pub fn renew_password(
    db: &mut Db,
    token_hash: &str,
    password_hash: &str,
    client_address: &str,
) -> QueryResult<Result<(), TeamRefusal>> {
    lock_first_rows(db)?;
    let now = Utc::now().naive_utc();
    let invitation = invitations::table.filter(invitations::token_hash.eq(token_hash));
    let found: Option<(String, NaiveDateTime)> = diesel::delete(invitation)
        .returning((invitations::email, invitations::expires_at))
        .get_result(db)
        .optional()?;
    let Some((email, _)) = found.filter(|(_, expires_at)| *expires_at > now) else {
        return Ok(Err(TeamRefusal::Gone));
    };
    let of_address = admins::table.filter(admins::email.eq(email));
    let columns = (admins::id, admins::username, admins::role);
    let account: Option<(i64, String, AccountRole)> = of_address.select(columns).first(db).optional()?;
    let Some((id, name, role)) = account else { return Ok(Err(TeamRefusal::Gone)) };
    diesel::update(admins::table.find(id))
        .set(admins::password_hash.eq(stored(role, password_hash)))
        .execute(db)?;
    let ended = sessions::delete_all(db, id)?;
    let actor = Actor { name: name.clone(), client_address: client_address.to_owned() };
    audit::store::record(db, &actor, Action::PasswordChanged, &name, ended)?;
    Ok(Ok(()))
}

/// Whether an account has this name or ever had it: the audit log could not tell the two apart.
fn is_name_taken(db: &mut Db, username: &str) -> QueryResult<bool> {
    let made = audit_log::table
        .filter(audit_log::action.eq(Action::AccountMade.as_str()))
        .filter(audit_log::subject.eq(username));
    let taken = admins::table.filter(admins::username.eq(username));
    Ok(diesel::select(exists(made)).get_result(db)? || diesel::select(exists(taken)).get_result(db)?)
}

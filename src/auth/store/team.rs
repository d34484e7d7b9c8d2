//! The SQL of the team: the accounts and their roles.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{accounts, plain, sessions, stored};
use crate::audit::{self, Action, Actor};
use crate::auth::team::{TeamMember, TeamRefusal};
use crate::db::{Db, lock_first_rows};
use crate::role::AccountRole;
use crate::schema::{admins, invitations, second_factors};

type MemberRow = (i64, String, Option<String>, AccountRole, Option<NaiveDateTime>, Option<i64>);

fn member((id, username, email, role, signed_in_at, factor): MemberRow) -> TeamMember {
    TeamMember { id, username, email, role, signed_in_at, has_second_factor: factor.is_some() }
}

/// Everybody, by name.
pub fn list(db: &mut Db) -> QueryResult<Vec<TeamMember>> {
    let rows: Vec<MemberRow> = admins::table
        .left_join(second_factors::table)
        .order(admins::username)
        .select((
            admins::id,
            admins::username,
            admins::email,
            admins::role,
            admins::signed_in_at,
            second_factors::admin_id.nullable(),
        ))
        .load(db)?;
    Ok(rows.into_iter().map(member).collect())
}

/// One member.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn find(db: &mut Db, id: i64) -> QueryResult<TeamMember> {
    list(db)?.into_iter().find(|it| it.id == id).ok_or(diesel::NotFound)
}

/// Notes that an account has just signed in.
pub fn note_sign_in(db: &mut Db, id: i64, now: NaiveDateTime) -> QueryResult<()> {
    diesel::update(admins::table.find(id)).set(admins::signed_in_at.eq(now)).execute(db)?;
    Ok(())
}

/// Gives an account another role, and ends its sessions. `owner` must still be an owner, and one must remain. A link
/// for the account's new password stays valid, for the new role.
pub fn change_role(
    db: &mut Db,
    owner: i64,
    id: i64,
    role: AccountRole,
    actor: &Actor,
) -> QueryResult<Result<TeamMember, TeamRefusal>> {
    let found = match lock(db, owner, id, role)? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if found.role == role {
        return Ok(Ok(found));
    }
    let hash: String = admins::table.find(id).select(admins::password_hash).first(db)?;
    diesel::update(admins::table.find(id))
        .set((admins::role.eq(role), admins::password_hash.eq(stored(role, plain(&hash)))))
        .execute(db)?;
    let ended = sessions::delete_all(db, id)?;
    if !role.may(AccountRole::Owner) {
        diesel::delete(invitations::table.filter(invitations::invited_by.eq(id))).execute(db)?;
    }
    if let Some(email) = &found.email {
        let own_link = invitations::table.filter(invitations::email.eq(email));
        diesel::update(own_link).set(invitations::role.eq(role)).execute(db)?;
    }
    let (was, is) = (found.role.label().to_lowercase(), role.label().to_lowercase());
    let subject = format!("{}: {was} to {is}", found.username);
    audit::store::record(db, actor, Action::RoleChanged, &subject, ended)?;
    Ok(Ok(TeamMember { role, ..found }))
}

/// Removes an account, with its sessions, its second factor, the invitations that it has sent, and a link for its new
/// password: without the account, that link would invite the person again.
pub fn remove(
    db: &mut Db,
    owner: i64,
    id: i64,
    actor: &Actor,
) -> QueryResult<Result<TeamMember, TeamRefusal>> {
    let found = match lock(db, owner, id, AccountRole::Gate)? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let ended = sessions::delete_all(db, id)?;
    if let Some(email) = &found.email {
        diesel::delete(invitations::table.filter(invitations::email.eq(email))).execute(db)?;
    }
    diesel::delete(admins::table.find(id)).execute(db)?;
    audit::store::record(db, actor, Action::AccountRemoved, &found.username, ended)?;
    Ok(Ok(found))
}

/// Removes the second factor of another account, whose user has lost the phone and the recovery codes.
pub fn reset_second_factor(
    db: &mut Db,
    owner: i64,
    id: i64,
    actor: &Actor,
) -> QueryResult<Result<TeamMember, TeamRefusal>> {
    if owner == id {
        return Ok(Err(TeamRefusal::Own));
    }
    let found = lock(db, owner, id, AccountRole::Owner)?;
    if let Ok(member) = &found {
        accounts::reset_second_factor(db, &member.username, actor)?;
    }
    Ok(found)
}

/// The account, locked together with all owners: if two owners demote each other at the same time, one of
/// them stays an owner. Nobody is invited meanwhile. `next`: the highest role that the account may have after the
/// change.
fn lock(db: &mut Db, owner: i64, id: i64, next: AccountRole) -> QueryResult<Result<TeamMember, TeamRefusal>> {
    lock_first_rows(db)?;
    let of_both = admins::table
        .filter(admins::role.eq(AccountRole::Owner).or(admins::id.eq(id)))
        .order(admins::id)
        .select((admins::id, admins::role));
    let locked: Vec<(i64, AccountRole)> = match db {
        Db::Postgres(pg) => of_both.for_update().load(pg)?,
        Db::Sqlite(sqlite) => of_both.load(sqlite)?,
    };
    let owners: Vec<i64> =
        locked.iter().filter(|(_, role)| *role == AccountRole::Owner).map(|(id, _)| *id).collect();
    if !owners.contains(&owner) {
        return Ok(Err(TeamRefusal::NoOwner));
    }
    if owners == [id] && next != AccountRole::Owner {
        return Ok(Err(TeamRefusal::LastOwner));
    }
    match find(db, id).optional()? {
        Some(found) => Ok(Ok(found)),
        None => Ok(Err(TeamRefusal::Gone)),
    }
}

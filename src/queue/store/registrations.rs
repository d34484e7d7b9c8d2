//! The SQL of registrations for a waiting room: queues the mail with the visitor's place.

use chrono::{NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::booking::buyer::normalized_email;
use crate::db::Db;
use crate::outbox::{self, MailKind, NewMail};
use crate::queue::registered_place::RegisteredPlace;
use crate::schema::mails;

/// The least time between two mails to an address.
const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Queues the mail with the place of an address. A visitor who asks again gets the same place again, but not
/// before a pause.
pub fn register(db: &mut Db, registered: &RegisteredPlace, email: &str) -> QueryResult<()> {
    let key = key(&registered.draw, email);
    let earlier: Option<(i64, NaiveDateTime)> = mails::table
        .filter(mails::dedupe_key.eq(&key))
        .select((mails::id, mails::queued_at))
        .first(db)
        .optional()?;
    if let Some((id, queued_at)) = earlier {
        if Utc::now().naive_utc() - queued_at >= PAUSE {
            outbox::store::resend(db, id)?;
        }
        return Ok(());
    }
    let payload = serde_json::to_string(registered)
        .map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))?;
    let mail = NewMail {
        kind: MailKind::QueuePlace,
        booking_id: None,
        dedupe_key: Some(key),
        recipient: Some(email.to_owned()),
        payload: Some(payload),
    };
    // Of two requests at the same time, only one queues its place.
    outbox::store::enqueue_once(db, &mail)
}

fn key(draw: &str, email: &str) -> String {
    let person = Sha256::digest(normalized_email(email));
    let person = hex::encode(&person[..16]);
    format!("place {draw} {person}")
}

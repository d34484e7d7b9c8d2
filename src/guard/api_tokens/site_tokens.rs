//! The tokens that organizers have made, as this server knows them. It reads them from the database when a
//! token is used and the last read is more than a second ago. So a token that is revoked on another server
//! opens nothing a second later, and guessing tokens costs the database one query a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{NaiveDateTime, TimeDelta, Utc};
use tokio::sync::Mutex;

use super::scopes::Scopes;
use super::store::{self, TokenRow};
use super::{ApiToken, is_same};
use crate::db::Database;

/// How long what was read is good.
const FRESH: Duration = Duration::from_secs(1);
/// Between two notes of a token's last use.
const LAST_USE_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// The tokens of the database.
pub(super) struct SiteTokens {
    db: Database,
    known: Mutex<ReadTokens>,
}

#[derive(Default)]
struct ReadTokens {
    /// `None`: never, or something has changed since.
    read_at: Option<Instant>,
    tokens: Vec<ReadToken>,
    /// When this server has last noted a use, by token.
    noted: HashMap<i64, NaiveDateTime>,
}

struct ReadToken {
    token: Arc<ApiToken>,
    id: i64,
    /// UTC.
    expires_at: Option<NaiveDateTime>,
    /// UTC.
    last_used_at: Option<NaiveDateTime>,
}

impl SiteTokens {
    pub fn new(db: Database) -> Self {
        Self { db, known: Mutex::default() }
    }

    /// The valid token of that hash. Its use is noted.
    pub async fn find(&self, hash: &[u8]) -> Option<Arc<ApiToken>> {
        let mut known = self.known.lock().await;
        if known.read_at.is_none_or(|at| at.elapsed() >= FRESH) {
            match self.db.read_primary(store::not_revoked).await {
                Ok(rows) => known.tokens = rows.into_iter().filter_map(ReadToken::of).collect(),
                // The tokens of the last read stay in use, so that API clients keep working. Writes need the
                // database anyway.
                Err(error) => log::warn!("cannot read API tokens: {}", crate::log_safe::one_line(&error)),
            }
            known.read_at = Some(Instant::now());
        }
        let now = Utc::now().naive_utc();
        let matching = |found, it| if is_same(&ReadToken::token(it).hash, hash) { Some(it) } else { found };
        let found = known.tokens.iter().fold(None, matching)?;
        if found.expires_at.is_some_and(|at| at <= now) {
            return None;
        }
        let (token, id, last) = (Arc::clone(&found.token), found.id, found.last_used_at);
        let last = last.max(known.noted.get(&id).copied());
        if last.is_none_or(|last| now - last >= LAST_USE_INTERVAL) {
            known.noted.insert(id, now);
            self.note(id, now);
        }
        Some(token)
    }

    /// In the background: on SQLite it may wait for the desk.
    fn note(&self, id: i64, now: NaiveDateTime) {
        let db = self.db.clone();
        actix_web::rt::spawn(async move {
            let noted = db.write(move |db| store::touch(db, id, now)).await;
            noted.unwrap_or_else(|e| log::warn!("cannot save the last use of an API token: {e}"));
        });
    }

    /// Makes the next use read the tokens again, because one was made or revoked here.
    pub async fn forget(&self) {
        self.known.lock().await.read_at = None;
    }
}

impl ReadToken {
    /// `None`: the stored text is not a SHA-256 hash.
    fn of(row: TokenRow) -> Option<Self> {
        let hash = hex::decode(row.token_hash).ok()?.try_into().ok()?;
        let token =
            ApiToken { name: row.name, hash, scopes: Scopes::parse(&row.scopes), site_id: Some(row.id) };
        Some(Self {
            token: Arc::new(token),
            id: row.id,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        })
    }

    fn token(&self) -> &ApiToken {
        &self.token
    }
}

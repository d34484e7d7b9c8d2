//! `/admin/audit-log`: reads the audit log, the newest entry first.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Clock, store};
use crate::app::App;
use crate::audit::{self, Action, AuditCursor, AuditPage};
use crate::auth::session::Admin;
use crate::error::Error;
use crate::guard::form::Query;
use crate::page::Page;

#[derive(Template)]
#[template(path = "admin/audit_log.html")]
struct AuditLogPage {
    page: Page,
    entries: AuditPage,
    clock: Clock,
    action: Option<Action>,
}

impl AuditLogPage {
    /// The page's address from there on, with the same filter.
    fn link(&self, direction: &str, id: &i64) -> String {
        match self.action {
            Some(action) => {
                format!("/admin/audit-log?action={}&{direction}={id}", action.as_str().replace(' ', "+"))
            }
            None => format!("/admin/audit-log?{direction}={id}"),
        }
    }
}

/// As the address bar has it. A place that is no number is as if it were not there.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AuditLogQuery {
    action: String,
    before: String,
    after: String,
}

impl AuditLogQuery {
    fn cursor(&self) -> AuditCursor {
        let before = self.before.parse().map(AuditCursor::Before);
        before.or_else(|_| self.after.parse().map(AuditCursor::After)).unwrap_or(AuditCursor::Newest)
    }
}

/// `GET /admin/audit-log`
pub async fn index(
    page: Page,
    _: Admin,
    app: web::Data<App>,
    Query(wanted): Query<AuditLogQuery>,
) -> Result<HttpResponse, Error> {
    let (action, cursor) = (Action::parse(&wanted.action), wanted.cursor());
    if action.is_none() && !wanted.action.is_empty() {
        return Err(Error::NotFound);
    }
    let load =
        app.db.read_primary(move |db| Ok((audit::store::page(db, action, cursor)?, store::clock(db)?)));
    let (entries, clock) = load.await?;
    page.clone().respond_unlisted(StatusCode::OK, &AuditLogPage { page, entries, clock, action })
}

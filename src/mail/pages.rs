//! `/admin/mails`, `/admin/mails/attempts`, `/admin/mails/{id}/attempts`: lists the mails, and resends them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::listing::{MailFilter, MailLine};
use super::store;
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::BoxOffice;
use crate::booking::parse_reference;
use crate::error::Error;
use crate::guard::form::{Form, Query};
use crate::outbox::{self, MailState, UnsentCounts};
use crate::page::{Page, Toast, see_other_with};

/// Mails on one page.
const PAGE_LENGTH: usize = 50;

#[derive(Template)]
#[template(path = "admin/mails.html")]
struct MailsPage {
    page: Page,
    lines: Vec<MailLine>,
    waiting: UnsentCounts,
    /// The filter.
    state: Option<MailState>,
    is_first: bool,
    /// The id before which the next page starts.
    older: Option<i64>,
    /// Where mails are saved, when there is no mail server.
    folder: Option<String>,
}

impl MailsPage {
    /// A state's name. Without a mail server nothing is sent.
    fn label(&self, state: &MailState) -> &'static str {
        match state {
            MailState::Sent if self.folder.is_some() => "Saved",
            state => state.label(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct MailsQuery {
    state: String,
    before: String,
}

/// `GET /admin/mails?state=failed&before=4711`: the newest first.
pub async fn index(
    page: Page,
    _: BoxOffice,
    app: web::Data<App>,
    Query(query): Query<MailsQuery>,
) -> Result<HttpResponse, Error> {
    let state = match query.state.as_str() {
        "" => None,
        name => Some(MailState::parse(name).ok_or(Error::NotFound)?),
    };
    let before: Option<i64> = match query.before.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::NotFound)?),
    };
    let (mut lines, waiting) = app
        .db
        .read_primary(move |db| {
            let which = state.map_or(MailFilter::All, MailFilter::In);
            // One more than is shown tells whether there is another page.
            Ok((store::list(db, which, before, PAGE_LENGTH as i64 + 1)?, outbox::store::waiting(db)?))
        })
        .await?;
    let has_more = lines.len() > PAGE_LENGTH;
    lines.truncate(PAGE_LENGTH);
    let older = lines.last().filter(|_| has_more).map(|line| line.mail.id);
    let folder = app.mail_folder.as_deref().map(|path| path.display().to_string());
    let index =
        MailsPage { page: page.clone(), lines, waiting, state, is_first: before.is_none(), older, folder };
    page.respond_unlisted(StatusCode::OK, &index)
}

/// `POST /admin/mails/attempts`: resends all failed mails.
pub async fn create_attempts(
    BoxOffice(admin): BoxOffice,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let queued = app.db.write(move |db| {
        let queued = outbox::store::resend_failed(db)?;
        audit::store::record(db, &admin.actor(), Action::FailedMailsQueuedAgain, "all", queued)?;
        Ok(queued)
    });
    let queued = queued.await?;
    app.outbox_wakeup.notify();
    let toast =
        Toast::success(format!("Resending {queued} {}.", if queued == 1 { "email" } else { "emails" }));
    Ok(see_other_with(&app.cookies, "/admin/mails", &toast))
}

/// The page that the button to resend is on.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AttemptForm {
    /// The reference of the booking whose page it is; empty: the list of mails.
    booking: String,
    /// The state by which the list is filtered; empty: all states.
    state: String,
}

/// `POST /admin/mails/{id}/attempts`: resends a mail.
pub async fn create_attempt(
    BoxOffice(admin): BoxOffice,
    app: web::Data<App>,
    id: web::Path<String>,
    Form(form): Form<AttemptForm>,
) -> Result<HttpResponse, Error> {
    let id: i64 = id.parse().map_err(|_| Error::NotFound)?;
    let subject = app.db.write(move |db| {
        let subject = outbox::store::resend(db, id)?;
        if let Some(subject) = &subject {
            audit::store::record(db, &admin.actor(), Action::MailQueuedAgain, subject, 1)?;
        }
        Ok(subject)
    });
    let toast = match subject.await? {
        Some(subject) => Toast::success(format!("Resending the {subject}.")),
        None => Toast::failure("This email is already queued, or its booking no longer exists."),
    };
    app.outbox_wakeup.notify();
    let back = match (parse_reference(&form.booking), MailState::parse(&form.state)) {
        (Some(reference), _) => format!("/admin/bookings/{reference}"),
        (None, Some(state)) => format!("/admin/mails?state={}", state.as_str()),
        (None, None) => "/admin/mails".to_owned(),
    };
    Ok(see_other_with(&app.cookies, &back, &toast))
}

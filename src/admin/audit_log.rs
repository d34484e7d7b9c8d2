//! `/admin/audit-log`: what organizers, operators and buyers did, the newest entry first.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::store;
use crate::app::App;
use crate::audit::{self, Action, AuditCursor, AuditEntry, AuditPage};
use crate::auth::access::Owner;
use crate::error::Error;
use crate::guard::form::Query;
use crate::page::Page;
use crate::venue_clock::VenueClock;

#[derive(Template)]
#[template(path = "admin/audit_log.html")]
struct AuditLogPage {
    page: Page,
    log: AuditPage,
    clock: VenueClock,
    /// The filter.
    action: Option<Action>,
}

impl AuditLogPage {
    /// The address of another page with the same filter.
    fn link(&self, direction: &str, id: &i64) -> String {
        match self.action {
            Some(action) => {
                format!("/admin/audit-log?action={}&{direction}={id}", action.as_str().replace(' ', "+"))
            }
            None => format!("/admin/audit-log?{direction}={id}"),
        }
    }
}

/// The query, as the address bar has it. A cursor that is not a number is ignored.
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

/// `GET /admin/audit-log?action=signed+in&before=4711`
pub async fn index(
    page: Page,
    _: Owner,
    app: web::Data<App>,
    Query(query): Query<AuditLogQuery>,
) -> Result<HttpResponse, Error> {
    let (action, cursor) = (Action::parse(&query.action), query.cursor());
    if action.is_none() && !query.action.is_empty() {
        return Err(Error::NotFound);
    }
    let load =
        app.db.read_primary(move |db| Ok((audit::store::page(db, action, cursor)?, store::clock(db)?)));
    let (log, clock) = load.await?;
    page.clone().respond_unlisted(StatusCode::OK, &AuditLogPage { page, log, clock, action })
}

/// What the page calls an action.
fn title(action: &Action) -> &'static str {
    match action {
        Action::AccountMade => "Account created",
        Action::Invited => "Invited to the team",
        Action::InvitationWithdrawn => "Invitation withdrawn",
        Action::InvitationAccepted => "Invitation accepted",
        Action::PasswordLinkSent => "Link for a new password sent",
        Action::RoleChanged => "Role changed",
        Action::AccountRemoved => "Account removed",
        Action::SignedIn => "Signed in",
        Action::SignInFailed => "Sign-in failed",
        Action::FirstPasswordOver => "First password refused",
        Action::SignedOut => "Signed out",
        Action::SessionEnded => "Session ended",
        Action::SignedOutEverywhere => "Signed out everywhere",
        Action::PasswordChanged => "Password changed",
        Action::PasswordRefused => "Wrong password",
        Action::SecondFactorSet => "Second factor set up",
        Action::SecondFactorTurnedOff => "Second factor turned off",
        Action::SecondFactorReset => "Second factor reset",
        Action::SecondFactorRequired => "Second factor required of all",
        Action::SecondFactorOptional => "Second factor no longer required",
        Action::RecoveryCodesMade => "New recovery codes",
        Action::RecoveryCodeUsed => "Recovery code used",
        Action::CodeRefused => "Wrong code",
        Action::BookingsExported => "Bookings exported",
        Action::PaymentsExported => "Payments exported",
        Action::BookingCanceled => "Booking canceled",
        Action::CanceledByBuyer => "Canceled by the buyer",
        Action::BookingUndone => "One-click booking undone",
        Action::BuyerCorrected => "Name or email changed",
        Action::AdmissionRevoked => "Admission undone",
        Action::GateOpened => "Gate link created",
        Action::GateClosed => "Gate link revoked",
        Action::AdmittedByHand => "Admitted by hand",
        Action::MailQueuedAgain => "Email resent",
        Action::FailedMailsQueuedAgain => "Failed emails resent",
        Action::TermsChanged => "Ticket rules changed",
        Action::BoxOfficeChanged => "Box office changed",
        Action::EventCreated => "Concert created",
        Action::EventChanged => "Concert changed",
        Action::EventPublished => "Concert published",
        Action::EventWithdrawn => "Concert unpublished",
        Action::EventPostponed => "Concert postponed",
        Action::EventCanceled => "Concert canceled",
        Action::EventArchived => "Concert archived",
        Action::EventRestored => "Concert restored",
        Action::SalePaused => "Sale paused",
        Action::SaleResumed => "Sale resumed",
        Action::HoldersMailed => "Holders emailed",
        Action::WaitingRoomChanged => "Waiting room changed",
        Action::RehearsalStarted => "Rehearsal started",
        Action::TicketTypeAdded => "Ticket type added",
        Action::TicketTypeChanged => "Ticket type changed",
        Action::TokenMade => "API token created",
        Action::TokenRevoked => "API token revoked",
        Action::MoneyRefunded => "Amount refunded",
        Action::Reseeded => "Sale reset",
    }
}

/// The title of an entry. An action that this release does not know is shown as the database
/// holds it.
fn entry_title(entry: &AuditEntry) -> &str {
    Action::parse(&entry.action).map_or(&entry.action, |action| title(&action))
}

/// Whether the entry records a password or a code that was refused.
fn is_refusal(entry: &AuditEntry) -> bool {
    matches!(
        Action::parse(&entry.action),
        Some(
            Action::SignInFailed | Action::FirstPasswordOver | Action::PasswordRefused | Action::CodeRefused
        )
    )
}

/// "3 bookings deleted", when the action counts something.
fn count(entry: &AuditEntry) -> Option<String> {
    let (one, many) = match Action::parse(&entry.action)? {
        Action::SignedOutEverywhere
        | Action::PasswordChanged
        | Action::RoleChanged
        | Action::AccountRemoved
        | Action::SecondFactorSet
        | Action::SecondFactorReset => ("session ended", "sessions ended"),
        Action::BookingsExported => ("booking", "bookings"),
        Action::PaymentsExported => ("movement of money", "movements of money"),
        Action::BookingCanceled | Action::CanceledByBuyer | Action::BookingUndone => {
            ("ticket back on sale", "tickets back on sale")
        }
        Action::FailedMailsQueuedAgain => ("email", "emails"),
        Action::HoldersMailed => ("person", "people"),
        Action::Reseeded => ("booking deleted", "bookings deleted"),
        _ => return None,
    };
    Some(format!("{} {}", entry.affected, if entry.affected == 1 { one } else { many }))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;

    use super::*;

    #[test]
    fn an_entry_has_a_title_and_a_count() {
        let mut entry = AuditEntry {
            id: 1,
            actor: "admin".into(),
            action: "reseeded".into(),
            subject: "Midnight Parade".into(),
            affected: 1,
            created_at: NaiveDateTime::default(),
            client_address: String::new(),
            details: String::new(),
        };
        assert_eq!((entry_title(&entry), count(&entry)), ("Sale reset", Some("1 booking deleted".into())));
        (entry.action, entry.affected) = (Action::PaymentsExported.as_str().into(), 3);
        let shown = (entry_title(&entry), count(&entry));
        assert_eq!(shown, ("Payments exported", Some("3 movements of money".into())));
        entry.action = "moved".into();
        assert_eq!((entry_title(&entry), count(&entry)), ("moved", None));
    }
}

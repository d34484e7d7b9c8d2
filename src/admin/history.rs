//! What happened to a booking: made, emailed, corrected, checked in, given back, canceled. It is put together from the
//! rows that each of these leaves behind, and from the audit log, which says who did it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::audit::{Action, AuditEntry};
use crate::booking::{Booking, BookingStatus, PlacedBooking};
use crate::mail::listing::MailLine;
use crate::outbox::MailState;
use crate::schema::{scans, used_tickets};
use crate::tickets::scan::ScanDecision;

/// The rows about a booking.
pub struct BookingRecords {
    /// UTC.
    pub confirmed_at: Option<NaiveDateTime>,
    pub uses: Vec<UseRecord>,
    pub scans: Vec<ScanRecord>,
    /// The oldest first.
    pub entries: Vec<AuditEntry>,
}

/// Records that a ticket was let in, or given back.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = used_tickets)]
pub struct UseRecord {
    seat: i32,
    state: String,
    gate: String,
    used_at: NaiveDateTime,
}

/// A scan of a ticket, and what came of it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = scans)]
pub struct ScanRecord {
    seat: Option<i32>,
    gate: String,
    actor: String,
    outcome: ScanDecision,
    by_hand: bool,
    scanned_at: NaiveDateTime,
    undone_at: Option<NaiveDateTime>,
}

/// What a ticket is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketState {
    Valid,
    Admitted {
        gate: String,
        at: NaiveDateTime,
    },
    Returned {
        at: NaiveDateTime,
    },
    /// The booking holds the ticket for now, or has released it.
    Unconfirmed,
}

impl TicketState {
    #[must_use]
    pub fn is_valid(&self) -> bool {
        *self == Self::Valid
    }

    #[must_use]
    pub fn is_admitted(&self) -> bool {
        matches!(self, Self::Admitted { .. })
    }

    /// Whether its code means anything at a gate.
    #[must_use]
    pub fn is_scannable(&self) -> bool {
        self.is_valid() || self.is_admitted()
    }
}

impl BookingRecords {
    #[must_use]
    pub fn state_of(&self, seat: i32, booking: &Booking) -> TicketState {
        match self.uses.iter().find(|it| it.seat == seat) {
            Some(it) if it.state == "admitted" => {
                TicketState::Admitted { gate: it.gate.clone(), at: it.used_at }
            }
            Some(it) => TicketState::Returned { at: it.used_at },
            None if booking.is_confirmed() => TicketState::Valid,
            None => match booking.canceled_at {
                Some(at) => TicketState::Returned { at },
                None => TicketState::Unconfirmed,
            },
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// UTC.
    pub at: NaiveDateTime,
    /// "Tickets 1 and 2 canceled"
    pub what: String,
    /// "by admin"; it may be empty.
    pub by: String,
    /// What the organizer has written to the buyer, or why something failed; it may be empty.
    pub said: String,
}

/// All of it, the newest first.
pub struct History(pub Vec<Happening>);

impl History {
    #[must_use]
    pub fn new(placed: &PlacedBooking, records: BookingRecords, mails: &[MailLine]) -> Self {
        let booking = &placed.booking;
        let made = match booking.status {
            BookingStatus::Held => "Held",
            // When the hold ended is not recorded.
            BookingStatus::Expired => "Held, and the hold has ended",
            BookingStatus::Confirmed | BookingStatus::Canceled => "Booked",
        };
        let mut all = vec![happening(booking.created_at, made)];
        let confirmed = records.confirmed_at.filter(|at| *at > booking.created_at);
        all.extend(confirmed.map(|at| happening(at, "Confirmed")));
        all.extend(returns(placed, &records));
        all.extend(records.scans.iter().flat_map(of_scan));
        all.extend(records.entries.iter().filter_map(of_entry));
        all.extend(mails.iter().filter_map(of_mail));
        all.sort_by_key(|it| std::cmp::Reverse(it.at));
        Self(all)
    }
}

fn happening(at: NaiveDateTime, what: impl Into<String>) -> Happening {
    Happening { at, what: what.into(), by: String::new(), said: String::new() }
}

/// The tickets that were given back: by the organizer if there is a note, otherwise by the buyer.
fn returns(placed: &PlacedBooking, records: &BookingRecords) -> Vec<Happening> {
    let PlacedBooking { booking, notes, .. } = placed;
    let mut times: Vec<NaiveDateTime> =
        records.uses.iter().filter(|it| it.state == "returned").map(|it| it.used_at).collect();
    times.sort_unstable();
    times.dedup();
    // The entry and the note are written together, so the last entry belongs to the last note.
    let canceled =
        records.entries.iter().filter(|it| Action::parse(&it.action) == Some(Action::BookingCanceled));
    let actors: Vec<&str> = canceled.map(|it| it.actor.as_str()).collect();
    let offset = notes.len().checked_sub(actors.len());
    let undone = records.entries.iter().any(|it| Action::parse(&it.action) == Some(Action::BookingUndone));
    let returned = |at: NaiveDateTime| {
        let seats: Vec<i32> = records
            .uses
            .iter()
            .filter(|it| it.state == "returned" && it.used_at == at)
            .map(|it| it.seat)
            .collect();
        let note = notes.iter().position(|it| it.canceled_at == at);
        let is_last = booking.canceled_at == Some(at);
        let what = match seats.as_slice() {
            all if i32::try_from(all.len()) == Ok(booking.quantity()) => "Canceled".to_owned(),
            [seat] => format!("Ticket {seat} canceled"),
            some => format!("Tickets {} canceled", listed(some)),
        };
        let what = if is_last && what != "Canceled" { format!("{what}; none is left") } else { what };
        let by = match note {
            Some(note) => {
                let actor = offset.and_then(|offset| note.checked_sub(offset)).and_then(|it| actors.get(it));
                format!("by {}", actor.copied().unwrap_or("the organizer"))
            }
            None if undone => "undone by the buyer".into(),
            None => "by the buyer".into(),
        };
        let said = note.and_then(|note| notes.get(note)).map(|it| it.message.clone());
        Happening { at, what, by, said: said.unwrap_or_default() }
    };
    times.into_iter().map(returned).collect()
}

/// "1, 2 and 4"
fn listed(seats: &[i32]) -> String {
    let texts: Vec<String> = seats.iter().map(i32::to_string).collect();
    match texts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => texts.concat(),
    }
}

fn of_scan(scan: &ScanRecord) -> Vec<Happening> {
    let ticket = scan.seat.map_or_else(|| "A ticket".to_owned(), |seat| format!("Ticket {seat}"));
    let what = match scan.outcome {
        ScanDecision::Admitted if scan.by_hand => format!("{ticket} checked in by hand at {}", scan.gate),
        ScanDecision::Admitted => format!("{ticket} checked in at {}", scan.gate),
        refused => format!("{ticket} refused at {}: {}", scan.gate, refusal(refused)),
    };
    let by = if scan.actor.is_empty() { String::new() } else { format!("by {}", scan.actor) };
    let scanned = Happening { at: scan.scanned_at, what, by, said: String::new() };
    let undone = scan.undone_at.map(|at| happening(at, format!("{ticket}: check-in undone")));
    [Some(scanned), undone].into_iter().flatten().collect()
}

fn refusal(decision: ScanDecision) -> &'static str {
    match decision {
        ScanDecision::Used => "it had been used",
        ScanDecision::Returned => "it had been given back",
        ScanDecision::Canceled => "its booking was canceled",
        ScanDecision::OtherEvent => "it is for another concert",
        ScanDecision::NotToday => "it is for another day",
        ScanDecision::Admitted | ScanDecision::Unknown => "its code is not valid",
    }
}

/// An event that only the audit log records. The other actions have rows of their own.
fn of_entry(entry: &AuditEntry) -> Option<Happening> {
    let what = match Action::parse(&entry.action)? {
        Action::BuyerCorrected => {
            let (_, what) = entry.subject.split_once(" (")?;
            format!("Buyer’s {} changed", what.trim_end_matches(')'))
        }
        Action::MailQueuedAgain => {
            let (kind, _) = entry.subject.split_once(" of ")?;
            format!("Email queued again: {kind}")
        }
        _ => return None,
    };
    Some(Happening { at: entry.created_at, what, by: format!("by {}", entry.actor), said: String::new() })
}

fn of_mail(line: &MailLine) -> Option<Happening> {
    let (kind, to) = (line.kind_label(), &line.recipient);
    let why = line.mail.last_error.clone().unwrap_or_default();
    match (line.state()?, line.mail.sent_at) {
        (MailState::Sent, Some(at)) => Some(happening(at, format!("Email sent to {to}: {kind}"))),
        (MailState::Failed, _) => Some(Happening {
            said: why,
            ..happening(line.mail.queued_at, format!("Email to {to} failed: {kind}"))
        }),
        (MailState::Dropped, _) => {
            Some(Happening { said: why, ..happening(line.mail.queued_at, format!("Email skipped: {kind}")) })
        }
        (MailState::Queued | MailState::Sent, _) => {
            Some(happening(line.mail.queued_at, format!("Email to {to} queued: {kind}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_listed_as_people_say_them() {
        assert_eq!(
            (listed(&[1]), listed(&[1, 2]), listed(&[1, 2, 4])),
            ("1".into(), "1 and 2".into(), "1, 2 and 4".into())
        );
    }
}

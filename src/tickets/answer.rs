//! The words that gate staff read after a scan: short enough to be read in half a second.

use actix_web::http::StatusCode;
use chrono::{NaiveDateTime, TimeDelta};

use super::attendance::Found;
use super::code::CodeError;
use super::scan::{Admission, Holder, ScanOutcome};
use crate::venue_clock::VenueClock;

/// How an answer looks, so that staff know whom to admit without reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Admitted,
    Refused,
    /// Neither admitted nor refused: the code has to be scanned again, or an admission was undone.
    Unclear,
}

/// The answer to one scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateAnswer {
    pub tone: Tone,
    pub word: String,
    pub explanation: String,
    pub holder: Option<Holder>,
    pub status: StatusCode,
    /// The staff may admit the ticket anyway.
    pub may_admit: bool,
}

impl GateAnswer {
    /// The answer to a ticket whose code is ours. `now` is UTC.
    #[must_use]
    pub fn to_scan(outcome: ScanOutcome, clock: VenueClock, now: NaiveDateTime) -> Self {
        match outcome {
            ScanOutcome::Admitted(holder) => {
                let words = match (holder.admitted, i64::from(holder.of)) {
                    (_, 1) => "Only ticket in this booking".to_owned(),
                    (2, 2) => "Both admitted".into(),
                    (admitted, of) if admitted == of => format!("All {of} admitted"),
                    (admitted, of) => format!("{admitted} of {of} admitted"),
                };
                let words = match &holder.due {
                    Some(due) => format!("{words}. Due at the venue: {due}"),
                    None => words,
                };
                let words = marked(&holder, words);
                Self::about(holder, Tone::Admitted, "Admitted", words, StatusCode::CREATED)
            }
            ScanOutcome::AdmittedBefore(holder, earlier) => {
                let since = ago(now - earlier.admitted_at);
                let words = format!("Admitted {since} ({}).", clock.time_of_day(&earlier.admitted_at));
                let words = marked(&holder, words);
                Self::about(holder, Tone::Admitted, "Admitted", words, StatusCode::OK)
            }
            ScanOutcome::Undone(holder) => Self::to_revocation(Some(holder)),
            ScanOutcome::Used(holder, earlier) => {
                let words = used(&earlier, clock, now);
                Self::about(holder, Tone::Refused, "Already used", words, StatusCode::CONFLICT)
            }
            ScanOutcome::Canceled(holder) => {
                let words = "Booking canceled. Don’t admit.".into();
                Self::about(holder, Tone::Refused, "Canceled", words, StatusCode::CONFLICT)
            }
            ScanOutcome::Returned(holder) => {
                let words = "This ticket was canceled. Don’t admit.".into();
                Self::about(holder, Tone::Refused, "Returned", words, StatusCode::CONFLICT)
            }
            ScanOutcome::OtherEvent(holder, event) => {
                let words = format!("This ticket is for {}, {}.", event.name, event.date());
                Self::about(holder, Tone::Refused, "Wrong concert", words, StatusCode::CONFLICT)
            }
            ScanOutcome::NotToday(holder, event) => {
                let words = format!("{} is on {}. The ticket is still good.", event.name, event.date());
                let words = marked(&holder, words);
                let answer = Self::about(holder, Tone::Unclear, "Not today", words, StatusCode::CONFLICT);
                Self { may_admit: true, ..answer }
            }
            ScanOutcome::Unknown => Self::refused("This booking no longer exists."),
        }
    }

    /// The answer to a code with a wrong signature.
    #[must_use]
    pub fn to_foreign_code() -> Self {
        Self::refused("Mistyped, or not one of ours.")
    }

    /// The answer to the codes of different tickets in one field.
    #[must_use]
    pub fn to_several_codes() -> Self {
        Self::to_correct("That was more than one ticket. Scan them one at a time.")
    }

    /// The answer to a text that is no code, for which tickets were looked up.
    #[must_use]
    pub fn to_search(found: &Found, error: CodeError) -> Self {
        let is_cut = if found.is_cut { "Too many to show: type more of the name." } else { "" };
        match (found.tickets.len(), error) {
            (0, CodeError::Reference) => Self::to_correct("No booking for this concert has that reference."),
            (0, _) => Self::to_correct(
                "No ticket or name like that. A code has five groups of four characters, without 0, 1, I, L, O or U.",
            ),
            (1, _) => Self::unclear("1 ticket found", is_cut, StatusCode::OK),
            (count, _) => {
                let answer = Self::unclear("", is_cut, StatusCode::OK);
                Self { word: format!("{count} tickets found"), ..answer }
            }
        }
    }

    /// The answer to a text that is too short to look for.
    #[must_use]
    pub fn to_short_text() -> Self {
        Self::to_correct("Type at least two letters of a name, an email address, a reference or a code.")
    }

    /// The answer to undoing an admission; `None`: the ticket was not admitted.
    #[must_use]
    pub fn to_revocation(holder: Option<Holder>) -> Self {
        let Some(holder) = holder else {
            let words = "This ticket wasn’t admitted, or wasn’t the last one here.";
            return Self::unclear("Nothing undone", words, StatusCode::CONFLICT);
        };
        let words = "This ticket can be scanned again.".into();
        Self::about(holder, Tone::Unclear, "Undone", words, StatusCode::OK)
    }

    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.tone == Tone::Admitted
    }

    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.tone == Tone::Refused
    }

    fn about(holder: Holder, tone: Tone, word: &str, explanation: String, status: StatusCode) -> Self {
        Self { tone, word: word.into(), explanation, holder: Some(holder), status, may_admit: false }
    }

    fn refused(words: &str) -> Self {
        let answer = Self::unclear("Invalid ticket", words, StatusCode::NOT_FOUND);
        Self { tone: Tone::Refused, ..answer }
    }

    fn to_correct(words: &str) -> Self {
        Self::unclear("Try again", words, StatusCode::UNPROCESSABLE_ENTITY)
    }

    fn unclear(word: &str, words: &str, status: StatusCode) -> Self {
        let (word, explanation) = (word.into(), words.into());
        Self { tone: Tone::Unclear, word, explanation, holder: None, status, may_admit: false }
    }
}

/// Puts the mark of the payment first. The staff decide whether to admit.
fn marked(holder: &Holder, words: String) -> String {
    match &holder.mark {
        Some(mark) => format!("{mark}. {words}"),
        None => words,
    }
}

fn used(earlier: &Admission, clock: VenueClock, now: NaiveDateTime) -> String {
    let Admission { gate, admitted_at, .. } = earlier;
    let since = ago(now - *admitted_at);
    format!("Scanned {since} ({}) at {gate}.", clock.time_of_day(admitted_at))
}

fn ago(time: TimeDelta) -> String {
    let count = |number: i64, unit: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {unit}{plural} ago")
    };
    match time.num_seconds() {
        ..=0 => "just now".into(),
        seconds @ 1..60 => count(seconds, "second"),
        seconds @ 60..3600 => count(seconds / 60, "minute"),
        seconds @ 3600..86_400 => count(seconds / 3600, "hour"),
        seconds => count(seconds / 86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_ticket_says_when_and_where() {
        let at = NaiveDateTime::default() + TimeDelta::hours(25);
        let earlier = Admission { gate: "North gate".into(), actor: "admin".into(), admitted_at: at };
        for (seconds, says) in
            [(0, "just now"), (1, "1 second ago"), (200, "3 minutes ago"), (7200, "2 hours ago")]
        {
            let words =
                used(&earlier, VenueClock::parse("America/Chicago"), at + TimeDelta::seconds(seconds));
            assert_eq!(words, format!("Scanned {says} (7:00:00\u{a0}PM) at North gate."));
        }
    }
}

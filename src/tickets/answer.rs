//! The words that gate staff read after a scan: short enough for half a second.

use actix_web::http::StatusCode;
use chrono::{NaiveDateTime, TimeDelta};

use super::code::CodeError;
use super::{Admission, Holder, ScanOutcome};
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
    pub word: &'static str,
    pub explanation: String,
    pub holder: Option<Holder>,
    pub status: StatusCode,
}

impl GateAnswer {
    /// The answer to a ticket whose code is ours. `now` is UTC.
    #[must_use]
    pub fn to_scan(outcome: ScanOutcome, clock: VenueClock, now: NaiveDateTime) -> Self {
        match outcome {
            ScanOutcome::Admitted(holder) => {
                let words = match (holder.admitted, i64::from(holder.of)) {
                    (_, 1) => "Only ticket in this booking".into(),
                    (admitted, of) if admitted == of => format!("All {of} admitted"),
                    (admitted, of) => format!("{admitted} of {of} admitted"),
                };
                Self::about(holder, Tone::Admitted, "Admitted", words, StatusCode::CREATED)
            }
            ScanOutcome::Used(holder, earlier) => {
                let words = used(&earlier, clock, now);
                Self::about(holder, Tone::Refused, "Already used", words, StatusCode::CONFLICT)
            }
            ScanOutcome::Canceled(holder) => {
                let words = "Booking canceled. Don’t admit.".into();
                Self::about(holder, Tone::Refused, "Canceled", words, StatusCode::CONFLICT)
            }
            ScanOutcome::Returned(holder) => {
                let words = "This ticket was given back. Don’t admit.".into();
                Self::about(holder, Tone::Refused, "Returned", words, StatusCode::CONFLICT)
            }
            ScanOutcome::OtherEvent(holder, event) => {
                let words = format!("This ticket is for {event}.");
                Self::about(holder, Tone::Refused, "Wrong concert", words, StatusCode::CONFLICT)
            }
            ScanOutcome::Unknown => Self::refused("This booking no longer exists."),
        }
    }

    /// The answer to a text that is not a ticket code.
    #[must_use]
    pub fn to_code_error(error: CodeError) -> Self {
        let words = match error {
            CodeError::Empty => "Scan a ticket, or type its code.",
            CodeError::Malformed => {
                "A ticket code has five groups of four characters, without 0, 1, I, L, O or U."
            }
            CodeError::Reference => {
                "That’s the booking reference. Scan the ticket’s own code: five groups of four characters."
            }
            CodeError::Foreign => {
                return Self::refused("Mistyped, or not one of ours.");
            }
        };
        Self::unclear("Try again", words, StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// The answer to undoing an admission; `None`: the ticket was not admitted.
    #[must_use]
    pub fn to_revocation(holder: Option<Holder>) -> Self {
        let Some(holder) = holder else {
            return Self::unclear(
                "Not admitted",
                "This ticket was not admitted, so nothing was undone.",
                StatusCode::CONFLICT,
            );
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

    fn about(
        holder: Holder,
        tone: Tone,
        word: &'static str,
        explanation: String,
        status: StatusCode,
    ) -> Self {
        Self { tone, word, explanation, holder: Some(holder), status }
    }

    fn refused(words: &str) -> Self {
        let (tone, word, status) = (Tone::Refused, "Invalid ticket", StatusCode::NOT_FOUND);
        Self { tone, word, explanation: words.into(), holder: None, status }
    }

    fn unclear(word: &'static str, words: &str, status: StatusCode) -> Self {
        Self { tone: Tone::Unclear, word, explanation: words.into(), holder: None, status }
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
            assert_eq!(words, format!("Scanned {says} (7:00:00 PM) at North gate."));
        }
    }
}

//! What a gate is told about a ticket, in words that are read in half a second.

use actix_web::http::StatusCode;
use chrono::{NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::code::CodeError;
use super::{Admission, Holder, ScanOutcome};

/// How an answer looks, so that nobody needs to read it to know whom to let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Admitted,
    Refused,
    /// Nobody was let in and nobody refused: the code has to be scanned again, or an admission was undone.
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
    /// The answer to a ticket whose code is ours. `zone` is the venue's, `now` is UTC.
    #[must_use]
    pub fn to_scan(outcome: ScanOutcome, zone: Tz, now: NaiveDateTime) -> Self {
        match outcome {
            ScanOutcome::Admitted(holder) => {
                let words = match (holder.admitted, i64::from(holder.of)) {
                    (_, 1) => "The only ticket of this booking.".into(),
                    (admitted, of) if admitted == of => format!("All {of} of this booking are in."),
                    (admitted, of) => format!("{admitted} of {of} of this booking are in."),
                };
                Self::about(holder, Tone::Admitted, "Admitted", words, StatusCode::CREATED)
            }
            ScanOutcome::Used(holder, earlier) => {
                let words = used(&earlier, zone, now);
                Self::about(holder, Tone::Refused, "Already used", words, StatusCode::CONFLICT)
            }
            ScanOutcome::Canceled(holder) => {
                let words = "This booking was canceled, so its tickets open no gate.".into();
                Self::about(holder, Tone::Refused, "Canceled", words, StatusCode::CONFLICT)
            }
            ScanOutcome::OtherEvent(holder, event) => {
                let words = format!("This ticket is for {event}.");
                Self::about(holder, Tone::Refused, "Wrong concert", words, StatusCode::CONFLICT)
            }
            ScanOutcome::Unknown => Self::refused("There is no such booking any more."),
        }
    }

    /// The answer to what is no ticket's code.
    #[must_use]
    pub fn to_code_error(error: CodeError) -> Self {
        let words = match error {
            CodeError::Empty => "Scan a ticket, or type its code.",
            CodeError::Malformed => {
                "A ticket’s code has five groups of four characters, without 0, 1, I, L, O and U."
            }
            CodeError::Reference => {
                "That is the booking’s reference. Each ticket has a code of its own, five groups long."
            }
            CodeError::Foreign => {
                return Self::refused("This code is mistyped, or nobody here has made it.");
            }
        };
        Self::unclear("Try again", words, StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// The answer to taking an admission back; `None` when the ticket was not in.
    #[must_use]
    pub fn to_revocation(holder: Option<Holder>) -> Self {
        let Some(holder) = holder else {
            return Self::unclear(
                "Not in",
                "This ticket was not in, so nothing was undone.",
                StatusCode::CONFLICT,
            );
        };
        let words = "The ticket is good again and may be scanned once more.".into();
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
        let (tone, word, status) = (Tone::Refused, "Not a ticket", StatusCode::NOT_FOUND);
        Self { tone, word, explanation: words.into(), holder: None, status }
    }

    fn unclear(word: &'static str, words: &str, status: StatusCode) -> Self {
        Self { tone: Tone::Unclear, word, explanation: words.into(), holder: None, status }
    }
}

fn used(earlier: &Admission, zone: Tz, now: NaiveDateTime) -> String {
    let Admission { gate, admitted_at, .. } = earlier;
    let since = ago(now - *admitted_at);
    format!("Came in {since}, at {}, through {gate}.", clock(*admitted_at, zone))
}

/// "7:05:12 PM", on the venue's clock.
#[must_use]
pub fn clock(at: NaiveDateTime, zone: Tz) -> String {
    at.and_utc().with_timezone(&zone).format("%-I:%M:%S %p").to_string()
}

fn ago(time: TimeDelta) -> String {
    let count = |number: i64, unit: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {unit}{plural} ago")
    };
    match time.num_seconds() {
        ..=0 => "this very moment".into(),
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
            [(0, "this very moment"), (1, "1 second ago"), (200, "3 minutes ago"), (7200, "2 hours ago")]
        {
            let words = used(&earlier, Tz::America__Chicago, at + TimeDelta::seconds(seconds));
            assert_eq!(words, format!("Came in {says}, at 7:00:00 PM, through North gate."));
        }
    }
}

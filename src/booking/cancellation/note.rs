//! What a buyer is told when the organizer cancels tickets: that the organizer did it, and the organizer's
//! message, if there is one. The page of the booking and the mail about it show both.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::booking::buyer::is_text;
use crate::schema::cancellation_notes;

/// In characters.
pub const MESSAGE_LENGTH_MAX: usize = 1000;

/// A cancellation by the organizer, of a booking or of some of its tickets.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = cancellation_notes)]
pub struct CancellationNote {
    /// The seats that were chosen; empty: all that were left.
    pub seats: String,
    /// May be empty.
    pub message: String,
    /// UTC, by the database's clock.
    pub canceled_at: NaiveDateTime,
}

/// Reads the organizer's message. It may be empty, and may have several lines.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_message(typed: &str) -> Result<String, String> {
    let message = typed.replace("\r\n", "\n");
    let message = message.trim();
    if message.chars().count() > MESSAGE_LENGTH_MAX {
        return Err(format!("Use {MESSAGE_LENGTH_MAX} characters or fewer."));
    }
    if !is_text(message, &['\n', '\t']) {
        return Err("This contains invisible characters. Please retype it.".to_owned());
    }
    Ok(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_lines_and_no_hidden_text() {
        assert_eq!(
            parse_message("  We are sorry.\r\n\r\nThe band is ill. "),
            Ok("We are sorry.\n\nThe band is ill.".into())
        );
        assert_eq!(parse_message(" \n "), Ok(String::new()));
        for bad in ["a\u{202e}b", "a\u{0}b", "a\u{e0041}b", &"x".repeat(1001)] {
            assert!(parse_message(bad).is_err(), "{bad:?}");
        }
    }
}

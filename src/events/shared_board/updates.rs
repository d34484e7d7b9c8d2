//! The JSON of the messages between servers, and of the snapshot.

use serde::{Deserialize, Serialize};

use crate::events::board::{Board, newest_version};
use crate::events::{Concert, Stock};

/// One message on the channel. The snapshot is a whole board.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoardUpdate {
    /// The stock of some ticket types.
    Stock(Vec<Stock>),
    /// The whole board, because more than the stock has changed: all concerts that the public may see, by start, the
    /// earliest first.
    Board(Vec<Concert>),
}

impl BoardUpdate {
    /// The newest version in it.
    pub fn newest_version(&self) -> i64 {
        match self {
            Self::Stock(stock) => stock.iter().map(|stock| stock.version).max().unwrap_or_default(),
            Self::Board(concerts) => concerts.iter().map(newest_version).max().unwrap_or_default(),
        }
    }

    /// Shows it on the board, which ignores older versions.
    pub fn show_on(self, board: &Board) {
        match self {
            Self::Stock(stock) => board.publish(&stock),
            Self::Board(concerts) => board.show(concerts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::{event, ticket_type};

    /// Servers of another release read these formats. If you change this test, raise `SCHEMA` in `keys.rs`.
    #[test]
    fn the_forms_are_those_of_the_schema() {
        let stock = BoardUpdate::Stock(vec![Stock { ticket_type_id: 1, available: 2, version: 3 }]);
        let text = serde_json::to_string(&stock).expect("JSON");
        assert_eq!(text, r#"{"stock":[{"ticket_type_id":1,"available":2,"version":3}]}"#);
        let concert = Concert {
            event: event(),
            ticket_types: vec![ticket_type(40)],
            held: Vec::new(),
            former_slugs: Vec::new(),
        };
        let board = BoardUpdate::Board(vec![concert]);
        let text = serde_json::to_string(&board).expect("JSON");
        assert_eq!(
            text,
            concat!(
                r#"{"board":[{"event":{"id":1,"slug":"show","name":"Show","tagline":"","description":"","#,
                r#""venue":"Hall","address":"","city":"Chicago","doors_at":null,"#,
                r#""starts_at":"2069-12-07T00:00:00","ends_at":"2069-12-08T00:00:00","#,
                r#""time_zone":"America/Chicago","currency":"USD","image":null,"age_limit":null,"#,
                r#""organizer_name":"","organizer_contact":"","state":"published","sales_start_at":null,"#,
                r#""sales_end_at":null,"paused":false,"listed":true,"cancellation_deadline_minutes":null,"#,
                r#""facts_version":1,"description_html":"","accessibility":"","postponed_from":null,"#,
                r#""returns_until":null,"archived_from":null,"image_alt":"","payment":"venue","refund_fee_minor":0},"#,
                r#""ticket_types":[{"id":1,"event_id":1,"name":"VIP","description":"","#,
                r#""price_minor":10000,"capacity":100,"available":40,"max_per_booking":10,"max_per_person":null,"#,
                r#""position":1,"icon":null,"accent":null,"state":"on_sale","sales_start_at":null,"#,
                r#""sales_end_at":null,"version":1,"facts_version":1,"tax_rate":null}],"held":[],"former_slugs":[]}]}"#
            )
        );
        assert_eq!(serde_json::from_str::<BoardUpdate>(&text).expect("read"), board);
    }
}

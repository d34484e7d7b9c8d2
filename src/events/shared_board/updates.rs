//! The JSON messages between servers, and the JSON snapshot.

use serde::{Deserialize, Serialize};

use crate::events::board::Board;
use crate::events::{Event, Stock, TicketType};

/// All concerts with their ticket types, the next concert first.
pub type Concerts = Vec<(Event, Vec<TicketType>)>;

/// One message on the channel.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoardUpdate {
    /// The stock of some ticket types.
    Stock(Vec<Stock>),
    /// The whole board, because more than the stock has changed.
    Board(Concerts),
}

impl BoardUpdate {
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
        let board = BoardUpdate::Board(vec![(event(), vec![ticket_type(40)])]);
        let text = serde_json::to_string(&board).expect("JSON");
        assert_eq!(
            text,
            concat!(
                r#"{"board":[[{"id":1,"slug":"show","name":"Show","tagline":"","venue":"Hall","city":"Chicago","#,
                r#""starts_at":"1970-01-01T00:00:00","ends_at":"1970-01-01T00:00:00","#,
                r#""time_zone":"America/Chicago","currency":"USD","cancellation_deadline_minutes":null},"#,
                r#"[{"id":1,"event_id":1,"name":"VIP","description":"","price_cents":10000,"capacity":100,"#,
                r#""available":40,"max_per_booking":10,"position":1,"version":1,"max_per_person":null}]]]}"#
            )
        );
        assert_eq!(serde_json::from_str::<BoardUpdate>(&text).expect("read"), board);
    }
}

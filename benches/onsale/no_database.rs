//! The server with no database behind its desk: it answers that an order is booked, but stores nothing. The benchmark
//! starts itself with [`ARGUMENT`] to be this server.

use std::sync::Arc;

use chrono::Utc;
use techkraft::booking::desk::Desk;
use techkraft::booking::store::Batch;
use techkraft::booking::{BookingLine, BookingOutcome, Order, new_reference, new_token};

use crate::{Result, own_server};

pub const ARGUMENT: &str = "--serve-without-database";

/// Serves until the process is killed.
pub fn serve() -> Result<()> {
    own_server::serve("no database", |limits| {
        Box::new(move |_, board, _| {
            Desk::with_store(limits, board, Arc::default(), |orders| Ok(as_booked(orders)))
        })
    })
}

fn as_booked(orders: &[&Order]) -> Batch {
    let now = Utc::now().naive_utc();
    let booked = |order: &&Order| {
        let line = |line: &techkraft::booking::OrderLine| BookingLine {
            booking_id: 0,
            ticket_type_id: line.ticket_type_id,
            quantity: line.quantity,
            unit_price_minor: 0,
            returned: 0,
        };
        let lines = order.lines().iter().map(line).collect();
        let codes = (new_reference(), new_token());
        BookingOutcome::Booked(order.to_booking((0, 0, "USD".into()), lines, now, codes))
    };
    Batch { outcomes: orders.iter().map(booked).collect(), ..Batch::default() }
}

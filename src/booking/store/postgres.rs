//! A batch on PostgreSQL: one call of one function, whatever the batch's size. The call is a transaction of
//! its own, so the hot rows are locked for one write to the disk, and never while a message is on the
//! network. The function is `book_batch_3` in the migrations.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::connection::SimpleConnection as _;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamp};

use super::super::buyer::unusual_normalized_email;
use super::super::{Booking, BookingLine, BookingOutcome, Order, OrderLine, new_reference, new_token};
use super::{Claimed, not_on_sale};
use crate::events::Stock;

pub(super) fn book_batch(
    pg: &mut PgConnection,
    orders: &[&Order],
) -> QueryResult<(Vec<Claimed>, Vec<Stock>)> {
    let call = BookBatchCall::of(orders);
    let answer: BookedColumns = (&call).get_result(pg)?;
    let outcomes = orders.iter().enumerate().map(|(index, order)| {
        // A function that answers for fewer orders than it was asked for has failed.
        answer.claimed(&call, index, order).ok_or(DieselError::NotFound)
    });
    let outcomes = outcomes.collect::<QueryResult<_>>()?;
    let stock = call.ticket_type_ids.iter().zip(&answer.lefts).zip(&answer.versions);
    let stock = stock
        // Version 0: there is no such ticket type, or it has got tickets back while the batch waited for
        // locks.
        .filter(|(_, version)| **version > 0)
        .map(|((&ticket_type_id, &available), &version)| Stock { ticket_type_id, available, version });
    Ok((outcomes, stock.collect()))
}

/// Tries to lock a ticket type as a batch does, but with a shorter time-out, and releases it at once. This is one round
/// trip: statements that are sent together are one transaction.
pub(super) fn is_locked(pg: &mut PgConnection, ticket_type_id: i64) -> QueryResult<bool> {
    let lock = format!(
        "SET LOCAL lock_timeout = '200ms'; SELECT FROM ticket_types WHERE id = {ticket_type_id} FOR NO KEY UPDATE"
    );
    match pg.batch_execute(&lock) {
        Ok(()) => Ok(false),
        // A lock time-out, for which diesel has no error kind.
        Err(DieselError::DatabaseError(DatabaseErrorKind::Unknown, _)) => Ok(true),
        Err(other) => Err(other),
    }
}

/// The call with a batch's values, as columns. Diesel recognizes the statement by this type, so it is
/// prepared once.
#[derive(Default)]
struct BookBatchCall<'a> {
    request_keys: Vec<&'a str>,
    order_hashes: Vec<i64>,
    names: Vec<&'a str>,
    emails: Vec<Option<&'a str>>,
    normalized_emails: Vec<Option<String>>,
    external_ids: Vec<Option<&'a str>>,
    references: Vec<String>,
    tokens: Vec<String>,
    hold_seconds: Vec<i32>,
    expected_totals: Vec<Option<i64>>,
    /// Distinct, in order.
    ticket_type_ids: Vec<i64>,
    /// The smallest quantity that a line wants, by ticket type.
    least_wanted: Vec<i32>,
    /// Positions from 1 in the columns above, one for each line.
    line_orders: Vec<i32>,
    line_types: Vec<i32>,
    line_quantities: Vec<i32>,
}

impl<'a> BookBatchCall<'a> {
    fn of(orders: &[&'a Order]) -> Self {
        let mut call = Self::default();
        let mut least: BTreeMap<i64, i32> = BTreeMap::new();
        for line in orders.iter().flat_map(|order| order.lines()) {
            let least = least.entry(line.ticket_type_id).or_insert(line.quantity);
            *least = line.quantity.min(*least);
        }
        (call.ticket_type_ids, call.least_wanted) = least.into_iter().unzip();
        for (order, number) in orders.iter().zip(1..) {
            call.request_keys.push(&order.request_key);
            call.order_hashes.push(order.hash());
            call.names.push(&order.buyer.name);
            let email = order.buyer.contact.email();
            call.emails.push(email);
            call.normalized_emails.push(email.and_then(unusual_normalized_email));
            call.external_ids.push(order.buyer.contact.external_id());
            call.references.push(new_reference());
            call.tokens.push(new_token());
            call.hold_seconds.push(order.hold_seconds.unwrap_or_default());
            call.expected_totals.push(order.expected_total);
            for line in order.lines() {
                call.line_orders.push(number);
                call.line_types.push(call.position(line));
                call.line_quantities.push(line.quantity);
            }
        }
        call
    }

    /// From 1, as SQL counts.
    fn position(&self, line: &OrderLine) -> i32 {
        let index = self.ticket_type_ids.binary_search(&line.ticket_type_id).unwrap_or_default();
        i32::try_from(index + 1).unwrap_or(i32::MAX)
    }
}

impl QueryId for BookBatchCall<'_> {
    type QueryId = BookBatchCall<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for BookBatchCall<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT * FROM book_batch_3(");
        out.push_bind_param::<Array<Text>, _>(&self.request_keys)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.order_hashes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.names)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.emails)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.normalized_emails)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.external_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.references)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.tokens)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.hold_seconds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.expected_totals)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.ticket_type_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.least_wanted)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.line_orders)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.line_types)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.line_quantities)?;
        out.push_sql(")");
        Ok(())
    }
}

impl Query for BookBatchCall<'_> {
    type SqlType = (
        Timestamp,
        Array<Integer>,
        Array<Integer>,
        Array<Integer>,
        Array<BigInt>,
        Array<Integer>,
        Array<BigInt>,
        Array<BigInt>,
        Array<Text>,
        Array<Nullable<Integer>>,
        Array<BigInt>,
    );
}

impl RunQueryDsl<PgConnection> for &BookBatchCall<'_> {}

/// What the function answers: the time, then columns by order, then columns by ticket type.
#[derive(Queryable)]
struct BookedColumns {
    booked_at: NaiveDateTime,
    outcomes: Vec<i32>,
    culprits: Vec<i32>,
    person_held: Vec<i32>,
    ids: Vec<i64>,
    lefts: Vec<i32>,
    versions: Vec<i64>,
    prices: Vec<i64>,
    currencies: Vec<String>,
    person_limits: Vec<Option<i32>>,
    event_ids: Vec<i64>,
}

impl BookedColumns {
    /// `None`: the function has answered for fewer orders than it was asked for.
    fn claimed(&self, call: &BookBatchCall, index: usize, order: &Order) -> Option<Claimed> {
        let outcome = *self.outcomes.get(index)?;
        let culprit = usize::try_from(*self.culprits.get(index)?).ok()?.checked_sub(1)?;
        let ticket_type_id = call.ticket_type_ids.get(culprit).copied().unwrap_or_default();
        let position = |line: &OrderLine| usize::try_from(call.position(line) - 1).unwrap_or_default();
        Some(Some(match outcome {
            1 => BookingOutcome::Booked(self.booking(call, index, order, position)?),
            2 => return Some(None),
            3 => BookingOutcome::NotEnough {
                left: order
                    .lines()
                    .iter()
                    .map(|line| self.lefts.get(position(line)).copied())
                    .collect::<Option<_>>()?,
            },
            4 => BookingOutcome::OverPersonLimit {
                ticket_type_id,
                limit: (*self.person_limits.get(culprit)?)?,
                held: *self.person_held.get(index)?,
            },
            10 => BookingOutcome::OtherTotal {
                total_minor: order.lines().iter().map(|line| self.cost(call, line)).sum(),
            },
            code => match not_on_sale(code) {
                Some(why) => BookingOutcome::NotOnSale { ticket_type_id, why },
                None => BookingOutcome::UnknownTicketType,
            },
        }))
    }

    /// What a line costs now.
    fn cost(&self, call: &BookBatchCall, line: &OrderLine) -> i64 {
        let position = usize::try_from(call.position(line) - 1).unwrap_or_default();
        let price = self.prices.get(position).copied().unwrap_or_default();
        price.saturating_mul(line.quantity.into())
    }

    fn booking(
        &self,
        call: &BookBatchCall,
        index: usize,
        order: &Order,
        position: impl Fn(&OrderLine) -> usize,
    ) -> Option<Booking> {
        let booking_id = *self.ids.get(index)?;
        let line = |line: &OrderLine| {
            let unit_price_minor = *self.prices.get(position(line))?;
            let OrderLine { ticket_type_id, quantity } = *line;
            Some(BookingLine { booking_id, ticket_type_id, quantity, unit_price_minor, returned: 0 })
        };
        let lines = order.lines().iter().map(line).collect::<Option<Vec<_>>>()?;
        let currency = self.currencies.get(position(order.lines().first()?))?.clone();
        let codes = (call.references.get(index)?.clone(), call.tokens.get(index)?.clone());
        let place = (booking_id, self.event_ids.get(position(order.lines().first()?)).copied()?, currency);
        Some(order.to_booking(place, lines, self.booked_at, codes))
    }
}

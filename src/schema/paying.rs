//! The tables about money: holds, attempts to pay, refunds, what the provider tells, and the ledger.

use super::{bookings, events};

diesel::table! {
    holds (booking_id) {
        booking_id -> BigInt,
        held_until -> Timestamp,
        pay_until -> Nullable<Timestamp>,
        latest_until -> Nullable<Timestamp>,
        extensions -> Integer,
    }
}

diesel::table! {
    payments (id) {
        id -> BigInt,
        booking_id -> BigInt,
        provider -> Text,
        live -> Bool,
        state -> Text,
        currency -> Text,
        amount_minor -> BigInt,
        refunded_minor -> BigInt,
        refund_fee_minor -> Nullable<BigInt>,
        idempotency_key -> Text,
        request -> Nullable<Text>,
        session_id -> Nullable<Text>,
        session_url -> Nullable<Text>,
        session_ends_at -> Nullable<Timestamp>,
        intent_id -> Nullable<Text>,
        declined -> Nullable<Text>,
        method -> Nullable<Text>,
        fee_minor -> Nullable<BigInt>,
        wanted_at -> Timestamp,
        opened_at -> Nullable<Timestamp>,
        paid_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
        due_at -> Timestamp,
        attempts -> Integer,
        last_error -> Nullable<Text>,
        asked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    payment_lines (payment_id, ticket_type_id) {
        payment_id -> BigInt,
        ticket_type_id -> BigInt,
        name -> Text,
        quantity -> Integer,
        unit_price_minor -> BigInt,
        tax_rate -> Nullable<Integer>,
    }
}

diesel::table! {
    refunds (id) {
        id -> BigInt,
        payment_id -> BigInt,
        source -> Text,
        state -> Text,
        amount_minor -> BigInt,
        seats -> Text,
        reason -> Text,
        actor -> Text,
        idempotency_key -> Text,
        refund_id -> Nullable<Text>,
        wanted_at -> Timestamp,
        done_at -> Nullable<Timestamp>,
        due_at -> Timestamp,
        attempts -> Integer,
        last_error -> Nullable<Text>,
        beyond_minor -> BigInt,
    }
}

diesel::table! {
    payment_events (provider, event_id) {
        provider -> Text,
        event_id -> Text,
        kind -> Text,
        object_id -> Text,
        intent_id -> Nullable<Text>,
        payment_id -> Nullable<BigInt>,
        live -> Bool,
        happened_at -> Timestamp,
        received_at -> Timestamp,
        handled_at -> Nullable<Timestamp>,
        due_at -> Timestamp,
        attempts -> Integer,
        returned -> Nullable<BigInt>,
    }
}

diesel::table! {
    ledger (id) {
        id -> BigInt,
        entry_key -> Text,
        booking_id -> BigInt,
        payment_id -> BigInt,
        refund_id -> Nullable<BigInt>,
        kind -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        live -> Bool,
        provider_id -> Text,
        entered_at -> Timestamp,
    }
}

diesel::table! {
    payment_clocks (name) {
        name -> Text,
        at -> Timestamp,
    }
}

diesel::joinable!(payments -> bookings (booking_id));
diesel::joinable!(payment_lines -> payments (payment_id));
diesel::joinable!(refunds -> payments (payment_id));
diesel::joinable!(ledger -> payments (payment_id));
diesel::allow_tables_to_appear_in_same_query!(payments, payment_lines, refunds);
diesel::allow_tables_to_appear_in_same_query!(payments, bookings);
diesel::allow_tables_to_appear_in_same_query!(ledger, payments);
diesel::allow_tables_to_appear_in_same_query!(ledger, bookings);
diesel::allow_tables_to_appear_in_same_query!(refunds, bookings);
diesel::allow_tables_to_appear_in_same_query!(payments, events);

//! The tables about waiting rooms.

use super::{bookings, events};

diesel::table! {
    waiting_rooms (event_id) {
        event_id -> BigInt,
        mode -> Text,
        opens_minutes -> Integer,
        flow -> Text,
        most_per_second -> Integer,
        message -> Text,
        seed -> Text,
        seed_hash -> Text,
        opened_at -> Nullable<Timestamp>,
        served -> BigInt,
        per_second -> Integer,
        moved_at -> Nullable<Timestamp>,
        served_earlier -> BigInt,
        served_mark -> BigInt,
        marked_at -> Nullable<Timestamp>,
        refused_at -> Nullable<Timestamp>,
        registration -> Bool,
    }
}

diesel::table! {
    queue_arrivals (event_id, slot) {
        event_id -> BigInt,
        slot -> BigInt,
        arrivals -> BigInt,
    }
}

diesel::table! {
    queue_passes (event_id, place) {
        event_id -> BigInt,
        place -> Text,
        position -> BigInt,
        request_key -> Text,
        issued_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::joinable!(waiting_rooms -> events (event_id));
diesel::allow_tables_to_appear_in_same_query!(events, waiting_rooms);
diesel::allow_tables_to_appear_in_same_query!(bookings, queue_passes);
diesel::allow_tables_to_appear_in_same_query!(events, queue_arrivals);
diesel::allow_tables_to_appear_in_same_query!(events, queue_passes);

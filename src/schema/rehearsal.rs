//! The table about rehearsals.

diesel::table! {
    rehearsals (id) {
        id -> BigInt,
        concert_id -> BigInt,
        event_id -> Nullable<BigInt>,
        buyers -> Integer,
        minutes -> Integer,
        slot -> Nullable<Integer>,
        asked_at -> Timestamp,
        started_at -> Nullable<Timestamp>,
        leased_until -> Nullable<Timestamp>,
        stopped -> Bool,
        progress -> Text,
        failure -> Nullable<Text>,
        report -> Nullable<Text>,
    }
}

//! Tables that stand alone: no other one refers to them.

diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        name -> Text,
        token_hash -> Text,
        scopes -> Text,
        created_by -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        last_used_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    cancellation_notes (id) {
        id -> BigInt,
        booking_id -> BigInt,
        seats -> Text,
        message -> Text,
        canceled_at -> Timestamp,
    }
}

diesel::table! {
    /// Made from the bookings: see `sales`.
    sales_counts (event_id) {
        event_id -> BigInt,
        counted_at -> Timestamp,
        stock -> Text,
        counts -> Text,
    }
}

diesel::table! {
    pictures (hash, variant) {
        hash -> Text,
        variant -> Text,
        bytes -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// One row at most.
    box_office (id) {
        id -> Integer,
        name -> Text,
        address -> Text,
        contact -> Text,
    }
}

diesel::table! {
    setup_notes (name) {
        name -> Text,
        state -> Text,
        mail_key -> Nullable<Text>,
        noted_at -> Timestamp,
    }
}

//! Diesel's picture of the tables, one for both databases: `migrations/` holds the same names twice.

diesel::table! {
    events (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        tagline -> Text,
        venue -> Text,
        city -> Text,
        starts_at -> Timestamp,
        ends_at -> Timestamp,
        time_zone -> Text,
        currency -> Text,
        cancellation_deadline_minutes -> Nullable<Integer>,
    }
}

diesel::table! {
    ticket_types (id) {
        id -> BigInt,
        event_id -> BigInt,
        name -> Text,
        description -> Text,
        price_cents -> BigInt,
        capacity -> Integer,
        available -> Integer,
        max_per_booking -> Integer,
        position -> Integer,
        version -> BigInt,
        max_per_person -> Nullable<Integer>,
    }
}

diesel::table! {
    bookings (id) {
        id -> BigInt,
        reference -> Text,
        token -> Text,
        ticket_type_id -> BigInt,
        quantity -> Integer,
        unit_price_cents -> BigInt,
        total_cents -> BigInt,
        currency -> Text,
        buyer_name -> Text,
        buyer_email -> Text,
        request_key -> Text,
        status -> Text,
        created_at -> Timestamp,
        cancelled_at -> Nullable<Timestamp>,
        buyer_email_normalised -> Nullable<Text>,
    }
}

diesel::table! {
    admins (id) {
        id -> BigInt,
        username -> Text,
        password_hash -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    admin_sessions (token_hash) {
        token_hash -> Text,
        admin_id -> BigInt,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        last_seen_at -> Nullable<Timestamp>,
        client_address -> Text,
    }
}

diesel::table! {
    sign_in_brakes (key) {
        key -> Text,
        failures -> Integer,
        slowed_until -> Timestamp,
        last_failed_at -> Timestamp,
    }
}

diesel::table! {
    audit_log (id) {
        id -> BigInt,
        actor -> Text,
        action -> Text,
        subject -> Text,
        affected -> BigInt,
        created_at -> Timestamp,
        client_address -> Text,
    }
}

diesel::table! {
    booking_lookups (email_hash) {
        email_hash -> Text,
        asked_at -> Timestamp,
    }
}

diesel::table! {
    secrets (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    mails (id) {
        id -> BigInt,
        booking_id -> Nullable<BigInt>,
        queued_at -> Timestamp,
        due_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        attempts -> Integer,
        kind -> Text,
        state -> Text,
        recipient -> Nullable<Text>,
        payload -> Nullable<Text>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    /// Its `booking_ids` are of another type in each database: [`batched_confirmations`] has them as rows.
    confirmation_batches (id) {
        id -> BigInt,
        queued_at -> Timestamp,
    }
}

diesel::table! {
    /// A view.
    batched_confirmations (booking_id) {
        batch_id -> BigInt,
        booking_id -> BigInt,
        queued_at -> Timestamp,
    }
}

diesel::table! {
    admissions (id) {
        id -> BigInt,
        booking_id -> BigInt,
        seat -> Integer,
        gate -> Text,
        actor -> Text,
        admitted_at -> Timestamp,
    }
}

diesel::table! {
    refusals (id) {
        id -> BigInt,
        event_id -> BigInt,
        ticket -> Text,
        reason -> Text,
        gate -> Text,
        actor -> Text,
        refused_at -> Timestamp,
    }
}

diesel::joinable!(mails -> bookings (booking_id));
diesel::joinable!(admissions -> bookings (booking_id));
diesel::joinable!(ticket_types -> events (event_id));
diesel::joinable!(bookings -> ticket_types (ticket_type_id));
diesel::joinable!(admin_sessions -> admins (admin_id));
diesel::allow_tables_to_appear_in_same_query!(
    events,
    ticket_types,
    bookings,
    mails,
    admissions,
    admins,
    admin_sessions
);

//! The tables as Diesel knows them, once for both databases: `migrations/` makes them in each.
//!
//! Queries do not belong here: they are in the stores of the features.

mod apart;
mod paying;
mod queue;
mod rehearsal;
mod team;

pub use self::apart::{api_tokens, box_office, cancellation_notes, pictures, sales_counts, setup_notes};
pub use self::paying::{holds, ledger, payment_clocks, payment_events, payment_lines, payments, refunds};
pub use self::queue::{queue_arrivals, queue_passes, waiting_rooms};
pub use self::rehearsal::rehearsals;
pub use self::team::{invitations, recovery_codes, second_factors, team_rules};

diesel::table! {
    events (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        tagline -> Text,
        description -> Text,
        venue -> Text,
        address -> Text,
        city -> Text,
        doors_at -> Nullable<Timestamp>,
        starts_at -> Timestamp,
        ends_at -> Timestamp,
        time_zone -> Text,
        currency -> Text,
        image -> Nullable<Text>,
        age_limit -> Nullable<Integer>,
        organizer_name -> Text,
        organizer_contact -> Text,
        state -> Text,
        sales_start_at -> Nullable<Timestamp>,
        sales_end_at -> Nullable<Timestamp>,
        paused -> Bool,
        listed -> Bool,
        cancellation_deadline_minutes -> Nullable<Integer>,
        facts_version -> BigInt,
        description_html -> Text,
        accessibility -> Text,
        postponed_from -> Nullable<Timestamp>,
        returns_until -> Nullable<Timestamp>,
        archived_from -> Nullable<Text>,
        image_alt -> Text,
        payment -> Text,
        refund_fee_minor -> Nullable<BigInt>,
    }
}

diesel::table! {
    ticket_types (id) {
        id -> BigInt,
        event_id -> BigInt,
        name -> Text,
        description -> Text,
        price_minor -> BigInt,
        capacity -> Integer,
        available -> Integer,
        max_per_booking -> Integer,
        max_per_person -> Nullable<Integer>,
        position -> Integer,
        icon -> Nullable<Text>,
        accent -> Nullable<Integer>,
        state -> Text,
        sales_start_at -> Nullable<Timestamp>,
        sales_end_at -> Nullable<Timestamp>,
        version -> BigInt,
        facts_version -> BigInt,
        tax_rate -> Nullable<Integer>,
    }
}

diesel::table! {
    bookings (id) {
        id -> BigInt,
        event_id -> BigInt,
        reference -> Text,
        token -> Text,
        request_key -> Text,
        order_hash -> BigInt,
        status -> Text,
        currency -> Text,
        total_minor -> BigInt,
        buyer_name -> Text,
        buyer_email -> Nullable<Text>,
        buyer_email_normalized -> Nullable<Text>,
        buyer_external_id -> Nullable<Text>,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
        canceled_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    booking_lines (booking_id, ticket_type_id) {
        booking_id -> BigInt,
        ticket_type_id -> BigInt,
        quantity -> Integer,
        unit_price_minor -> BigInt,
        returned -> Integer,
    }
}

diesel::table! {
    admins (id) {
        id -> BigInt,
        username -> Text,
        password_hash -> Text,
        created_at -> Timestamp,
        first_password_hash -> Nullable<Text>,
        first_password_ends_at -> Nullable<Timestamp>,
        role -> Text,
        email -> Nullable<Text>,
        signed_in_at -> Nullable<Timestamp>,
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
        second_factor -> Bool,
    }
}

// The throttle of sign-ins. The table keeps this name, because the previous release reads it.
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
        details -> Text,
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
    suppressed_addresses (email) {
        email -> Text,
        until -> Timestamp,
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
        dedupe_key -> Nullable<Text>,
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
    used_tickets (id) {
        id -> BigInt,
        booking_id -> BigInt,
        seat -> Integer,
        ticket_type_id -> BigInt,
        state -> Text,
        gate -> Text,
        actor -> Text,
        used_at -> Timestamp,
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

diesel::table! {
    gates (id) {
        id -> BigInt,
        event_id -> BigInt,
        name -> Text,
        token_hash -> Text,
        created_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    scans (id) {
        id -> BigInt,
        event_id -> BigInt,
        gate_id -> Nullable<BigInt>,
        gate -> Text,
        actor -> Text,
        scan_key -> Nullable<Text>,
        booking_id -> Nullable<BigInt>,
        seat -> Nullable<Integer>,
        ticket -> Text,
        outcome -> Text,
        by_hand -> Bool,
        was_unconfirmed -> Bool,
        scanned_at -> Timestamp,
        decided_at -> Timestamp,
        undone_at -> Nullable<Timestamp>,
    }
}

diesel::joinable!(gates -> events (event_id));
diesel::table! {
    former_slugs (slug) {
        slug -> Text,
        event_id -> BigInt,
    }
}

diesel::table! {
    event_jobs (id) {
        id -> BigInt,
        event_id -> BigInt,
        kind -> Text,
        message -> Text,
        payload -> Text,
        actor -> Text,
        total -> BigInt,
        done -> BigInt,
        kept -> BigInt,
        last_booking_id -> BigInt,
        leased_until -> Timestamp,
        created_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
        ticket_type_id -> Nullable<BigInt>,
    }
}

diesel::joinable!(mails -> bookings (booking_id));
diesel::joinable!(used_tickets -> bookings (booking_id));
diesel::joinable!(used_tickets -> ticket_types (ticket_type_id));
diesel::joinable!(ticket_types -> events (event_id));
diesel::joinable!(bookings -> events (event_id));
diesel::joinable!(former_slugs -> events (event_id));
diesel::joinable!(event_jobs -> events (event_id));
diesel::joinable!(booking_lines -> bookings (booking_id));
diesel::joinable!(booking_lines -> ticket_types (ticket_type_id));
diesel::joinable!(holds -> bookings (booking_id));
diesel::joinable!(admin_sessions -> admins (admin_id));
diesel::allow_tables_to_appear_in_same_query!(
    events,
    ticket_types,
    bookings,
    booking_lines,
    holds,
    mails,
    used_tickets,
    gates,
    scans,
    former_slugs,
    event_jobs,
    admins,
    admin_sessions
);

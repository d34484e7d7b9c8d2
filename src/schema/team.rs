//! The tables about the team: invitations, second factors, and its rules.

use super::{admin_sessions, admins};

diesel::table! {
    invitations (id) {
        id -> BigInt,
        token_hash -> Text,
        email -> Text,
        role -> Text,
        invited_by -> BigInt,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    second_factors (admin_id) {
        admin_id -> BigInt,
        secret -> Text,
        last_step -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    recovery_codes (admin_id, code_hash) {
        admin_id -> BigInt,
        code_hash -> Text,
    }
}

diesel::table! {
    team_rules (name) {
        name -> Text,
        since -> Timestamp,
    }
}

diesel::joinable!(invitations -> admins (invited_by));
diesel::joinable!(second_factors -> admins (admin_id));
diesel::allow_tables_to_appear_in_same_query!(admins, invitations);
diesel::allow_tables_to_appear_in_same_query!(admins, second_factors);
diesel::allow_tables_to_appear_in_same_query!(admin_sessions, second_factors);

//! The site through real HTTP, on the database that `TEST_DATABASE_URL` names: a fresh SQLite file for
//! every test when it is unset, a fresh schema of that PostgreSQL when it is set. `scripts/test` runs both.

mod support;

mod admin;
mod admin_bookings;
mod api;
mod assets;
mod bad_input;
mod basket_model;
mod bookings;
mod cancellation;
mod check_in;
mod command_line;
mod corpus;
mod correction;
mod demo;
mod desk_model;
mod email_suggestion;
mod events;
mod expand_then_contract;
mod form_keys;
mod guard;
mod holds;
mod idle_connections;
mod lines;
mod lookup;
mod mail;
mod migrations;
mod one_click;
mod operators;
mod ops;
mod pace;
mod payment_desk;
mod payment_pages;
mod payment_refunds;
mod payments;
mod person_limit;
mod queue;
mod race;
mod rehearsal;
mod sale;
mod sharing;
mod site_links;
mod ticket_links;
mod verify;
mod verify_money;

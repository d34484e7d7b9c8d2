//! The site through real HTTP, on the database that `TEST_DATABASE_URL` names: a fresh SQLite file for
//! every test when it is unset, a fresh database on that PostgreSQL when it is set. `scripts/test` runs both.

mod support;

mod admin;
mod api;
mod assets;
mod bad_input;
mod basket_model;
mod bookings;
mod check_in;
mod command_line;
mod corpus;
mod demo;
mod desk_model;
mod events;
mod expand_then_contract;
mod guard;
mod idle_connections;
mod ledger_model;
mod lost_connection;
mod mail;
mod migrations;
mod operators;
mod ops;
mod pace;
mod payments;
mod queue;
mod race;
mod rehearsal;
mod sale;
mod sharing;
mod site_links;
mod ticket_links;
mod verify;
mod verify_money;

//! TechKraft Tickets: a ticket office in one binary.
//!
//! The map of the house. Data flows one way, `pages → desk and domain → store → db`:
//!
//! - [`commands`] are what the binary does, [`app`] opens the database and serves, [`routes`] is the URL
//!   map on one screen.
//! - [`events`]: concerts and their tiers. [`booking`]: orders, the desk that claims tickets, the booking
//!   in the buyer's hand. [`tickets`]: their codes. [`admin`]: the organizer's pages.
//! - [`api`] is the same for programs, in JSON.
//! - Each of them has the same rooms: `mod.rs` its nouns and rules, `pages.rs` requests in and pages out,
//!   `store.rs` all of its SQL.
//! - [`connections`] is the way in: the listening socket, and how many and how slow its visitors may be.
//! - [`guard`] stands between the network and the pages; [`page`] and [`error`] shape what goes out;
//!   [`assets`] holds the static files; [`money`] writes amounts.
//! - [`mail`] is what the site writes to its buyers: queued in the transaction that it speaks of, and sent
//!   afterward.
//! - [`reconciliation`] counts the books again, for `techkraft verify` and the organizer's pages; [`backup`] keeps
//!   copies of them, proves each, and brings them back; [`textfile`] tells Prometheus of both.
//! - `redis_health` knows whether Redis is there, for those who share something through it.
//! - [`logging`] says what happens, and nothing that is somebody's own.
//! - [`ops`] is for those who run it: health, readiness, metrics, and the way to stop; [`heartbeat`] tells who is
//!   alive.
//! - [`config`] reads the settings; [`db`] and [`schema`] know the two databases.

#![forbid(unsafe_code)]

pub mod admin;
pub mod api;
pub mod app;
pub mod assets;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod booking;
pub mod commands;
pub mod config;
pub mod connections;
pub mod db;
pub mod error;
pub mod events;
pub mod guard;
pub mod heartbeat;
pub mod log_safe;
pub mod logging;
pub mod mail;
pub mod money;
pub mod ops;
pub mod outbox;
pub mod page;
pub mod reconciliation;
mod redis_health;
pub mod redis_url;
pub mod resource;
pub mod routes;
pub mod schema;
pub mod server;
pub mod start_error;
pub mod textfile;
pub mod tickets;
pub mod venue_clock;

//! TechKraft Tickets: a ticket shop in one binary.
//!
//! Imports go one way, from the first line of this map to the last:
//!
//! - [`commands`] is what the binary does, [`config`] reads the settings, and [`server`] opens the database, wires the
//!   parts together and runs, with the tasks of [`background`]. [`demo`] fills a throwaway site.
//! - [`routes`] is the URL map on one screen.
//! - [`admin`]: organizers' pages. [`api`]: the JSON API. [`ops`]: health, readiness, metrics and the drain.
//! - [`events`]: concerts and ticket types. [`queue`]: waiting rooms. [`booking`]: orders, the desk that claims
//!   tickets, and the buyer's own pages. [`payment`]: paying online, and refunds. [`sales`]: what concerts have sold.
//!   [`tickets`]: codes and check-in. [`rehearsal`]: a trial sale with simulated buyers. [`mail`]: composing and
//!   sending. [`backup`] and [`reconciliation`]: copies of the data, and proof that its counts add up. [`app`] is what
//!   their handlers share.
//! - [`auth`]: who is asking. [`audit`]: what was done. [`outbox`]: what is to be sent.
//! - [`connections`]: the listening socket and its limits. [`guard`]: cookies, secrets, CSRF and rate limits. [`db`]:
//!   the two databases. [`resource`]: what a URL is. [`role`]: what an account may open. [`page`] and [`error`] shape
//!   responses, [`assets`] serves the static files. [`site`] keeps the box office's name and address up to date.
//! - The rest imports nothing from the lines above: [`box_office`], [`contact`], [`heartbeat`], [`log_limit`],
//!   [`log_safe`], [`logging`], [`money`], [`outgoing`], [`redis_health`], [`redis_url`], [`schema`], [`start_error`],
//!   [`textfile`], [`venue_clock`].
//!
//! A feature has the same layout everywhere: `mod.rs` its types and rules, `pages.rs` its handlers, `store.rs` all of
//! its SQL.

#![forbid(unsafe_code)]

pub mod admin;
pub mod api;
pub mod app;
pub mod assets;
pub mod audit;
pub mod auth;
mod background;
pub mod backup;
pub mod booking;
pub mod box_office;
pub mod commands;
pub mod config;
pub mod connections;
pub mod contact;
pub mod db;
pub mod demo;
pub mod error;
pub mod events;
pub mod guard;
pub mod heartbeat;
pub mod log_limit;
pub mod log_safe;
pub mod logging;
pub mod mail;
pub mod money;
pub mod ops;
pub mod outbox;
pub mod outgoing;
pub mod page;
pub mod payment;
pub mod queue;
pub mod reconciliation;
mod redis_health;
pub mod redis_url;
pub mod rehearsal;
pub mod resource;
pub mod role;
pub mod routes;
pub mod sales;
pub mod schema;
pub mod server;
pub mod site;
pub mod start_error;
pub mod textfile;
pub mod tickets;
pub mod venue_clock;

//! Journeys through the shop in real Chromium: what visitors and organizers do, see and hear.

mod accessibility;
mod availability;
mod booking;
mod camera;
mod cancellation;
mod cross_origin;
mod dialog;
mod failures;
mod gate;
mod gate_scanner;
mod holders;
mod honeypot;
mod keyboard;
mod large_text;
mod limits;
mod offline;
mod on_sale;
mod once;
mod one_click;
mod organizer;
mod organizer_forms;
mod organizer_tables;
mod paying;
mod plain;
mod polling;
mod posters;
mod printing;
mod promoter;
mod quality;
mod queue;
mod race;
mod screenshots;
mod several_ticket_types;
mod sharing;
mod stepper;
mod support;
mod team;
mod tickets;

use support::Site;

fn open_site() -> Site {
    Site::open(testkit::binary())
}

//! What the site writes to its buyers.

mod outbox;

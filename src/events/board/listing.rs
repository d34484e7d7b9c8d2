//! A concert as the board shows it.

use std::sync::OnceLock;

use super::Fragment;
use crate::error::Error;
use crate::events::pace::Pace;
use crate::events::{Event, TicketType};

/// A concert on the board.
pub struct Listing {
    pub event: Event,
    /// In the order in which they are shown.
    pub ticket_types: Vec<TicketType>,
    /// At the usual pace, and at the slow one.
    fragments: [OnceLock<Fragment>; 2],
}

impl Listing {
    pub(super) fn new(event: Event, ticket_types: Vec<TicketType>) -> Self {
        Self { event, ticket_types, fragments: Default::default() }
    }

    /// The tier of that id.
    #[must_use]
    pub fn ticket_type(&self, id: i64) -> Option<&TicketType> {
        self.ticket_types.iter().find(|tier| tier.id == id)
    }

    /// The availability fragment of this state, which asks for that pace.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn fragment(&self, pace: Pace) -> Result<&Fragment, Error> {
        let cell = &self.fragments[usize::from(pace.is_slow)];
        if let Some(fragment) = cell.get() {
            return Ok(fragment);
        }
        let fragment = Fragment::render(&self.event, &self.ticket_types, pace)?;
        Ok(cell.get_or_init(|| fragment))
    }
}

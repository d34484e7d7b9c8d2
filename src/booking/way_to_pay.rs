//! Whether an order is booked at once, for payment at the venue, or held until it is paid for online.

use super::Order;
use crate::events::PaymentChoice;
use crate::events::board::Listing;

/// How long tickets are held until somebody asks for a payment page.
const PAY_SECONDS: i32 = 15 * 60;

/// The concert is paid for online, and this site has no account to pay to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoWayToPay;

impl Order {
    /// The order, held where it is to be paid for online. What is free is booked at once. `wants_online`: what the
    /// buyer has chosen, where the concert leaves the choice; `can_pay_online`: whether this site has an account.
    ///
    /// # Errors
    /// [`NoWayToPay`].
    pub fn on_its_way_to_pay(
        self,
        listing: &Listing,
        wants_online: bool,
        can_pay_online: bool,
    ) -> Result<Self, NoWayToPay> {
        let price = |id: i64| listing.ticket_type(id).map_or(0, |it| it.price_minor);
        let is_due = self.lines().iter().any(|line| price(line.ticket_type_id) > 0);
        match listing.event.payment {
            PaymentChoice::Online if is_due && !can_pay_online => Err(NoWayToPay),
            PaymentChoice::Online if is_due => Ok(self.held_for(PAY_SECONDS)),
            PaymentChoice::Both if is_due && can_pay_online && wants_online => Ok(self.held_for(PAY_SECONDS)),
            _ => Ok(self),
        }
    }
}

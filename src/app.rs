//! What the handlers share. Rules, stores and the desk do not see it: a function there takes the parts that it uses.

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web;
use tokio::sync::Mutex;

use crate::auth::Auth;
use crate::auth::invitation::InvitationSeal;
use crate::booking::desk::Desk;
use crate::booking::lookup::link::BookingLinks;
use crate::booking::request_key::FormAges;
use crate::booking::request_key::RequestKeys;
use crate::box_office::KnownBoxOffice;
use crate::db::Database;
use crate::error::Error;
use crate::events::board::Board;
use crate::events::editing::{EventFacts, FieldFaults, TicketTypeFacts};
use crate::events::{Event, PaymentChoice};
use crate::guard::cookies::Cookies;
use crate::guard::limits::tickets::TicketCounter;
use crate::mail::suppression::SuppressionLinks;
use crate::outbox::wakeup::Wakeup;
use crate::payment::settings::Payments;
use crate::queue::rooms::Rooms;
use crate::reconciliation::latest::LatestReconciliation;
use crate::sales::counter::SalesCounter;
use crate::tickets::code::TicketCodes;
use crate::tickets::link::TicketLinks;

/// One for each server, shared by its threads.
pub struct App {
    pub db: Database,
    pub board: Arc<Board>,
    pub desk: Arc<Desk>,
    /// The waiting rooms.
    pub rooms: Arc<Rooms>,
    pub auth: web::Data<Auth>,
    pub cookies: Cookies,
    pub request_keys: RequestKeys,
    pub ticket_codes: TicketCodes,
    pub ticket_links: TicketLinks,
    pub booking_links: BookingLinks,
    pub suppression_links: SuppressionLinks,
    pub invitation_seal: InvitationSeal,
    /// How old a booking form may be.
    pub form_ages: FormAges,
    /// How many tickets each client may book.
    pub ticket_counter: TicketCounter,
    /// To be notified after something was put into the outbox.
    pub outbox_wakeup: Arc<Wakeup>,
    /// The site's address as visitors know it, without a slash at the end.
    pub public_url: String,
    /// Who sells here.
    pub box_office: web::Data<KnownBoxOffice>,
    /// The address that mails come from.
    pub mail_sender: String,
    /// Whether an owner may delete all bookings of the seed's concert and restart its sale.
    pub allow_reseed: bool,
    pub heavy_work: HeavyWork,
    /// How buyers pay online; `None`: they pay at the venue.
    pub payments: Option<Payments>,
    /// Where mails are written when there is no mail server.
    pub mail_folder: Option<PathBuf>,
}

/// Work that costs more the more is sold. The server does one of each kind at a time.
#[derive(Default)]
pub struct HeavyWork {
    pub reconciliation: LatestReconciliation,
    pub sales: SalesCounter,
    /// Held while an export is being sent: each export reads all bookings of a concert.
    pub export_lock: Arc<Mutex<()>>,
}

impl App {
    /// Why a concert with these prices cannot be paid for in the chosen way; `None`: it can.
    #[must_use]
    pub fn payment_fault(
        &self,
        choice: PaymentChoice,
        currency: &str,
        prices: &[i64],
    ) -> Option<&'static str> {
        Payments::fault_of(self.payments.as_ref(), choice, currency, prices)
    }

    /// Returns the facts if a concert with these prices can be paid for in the chosen way.
    ///
    /// # Errors
    /// Why not, by field.
    pub fn check_payment(&self, facts: EventFacts, prices: &[i64]) -> Result<EventFacts, FieldFaults> {
        let (choice, currency) = (facts.payment, &facts.currency);
        let mut faults = FieldFaults::default();
        if let Some(fault) = self.payment_fault(choice, currency, prices) {
            faults.add("payment", fault);
        }
        if let Some(fault) = Payments::fault_of_fee(choice, facts.refund_fee_minor, currency) {
            faults.add("refund_fee", fault);
        }
        if faults.is_empty() { Ok(facts) } else { Err(faults) }
    }

    /// Returns the facts if tickets of the concert can be paid for at this price.
    ///
    /// # Errors
    /// Why not, by field.
    pub fn check_price(&self, event: &Event, facts: TicketTypeFacts) -> Result<TicketTypeFacts, FieldFaults> {
        let fault = match &self.payments {
            Some(_) => self.payment_fault(event.payment, &event.currency, &[facts.price_minor]),
            // Without an account no price can be paid online: `check_payment` says so about the concert.
            None => None,
        };
        let Some(fault) = fault else { return Ok(facts) };
        let mut faults = FieldFaults::default();
        faults.add("price", fault);
        Err(faults)
    }

    /// After a change of concerts or ticket types that was committed: shows it, here and on the other servers.
    pub async fn show_changes(&self) -> Result<(), Error> {
        self.desk.restocked();
        self.board.refresh_from_primary(&self.db).await?;
        self.board.announce_everything();
        Ok(())
    }
}

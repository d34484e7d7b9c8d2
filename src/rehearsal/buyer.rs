//! One simulated buyer: comes to the concert's page, waits in its waiting room, opens the form, thinks, and books.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::http::{Shop, ShopAnswer, ShopRequest};
use super::sale::RehearsedSale;
use super::tally::{BuyerEnd, BuyerStep, Tally};

/// The most attempts of one request. A buyer tries again after errors, and after refusals that ask to try
/// again.
const TRIES: u32 = 6;
/// The wait after an error, unless the site says how long to wait.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// The wait before a buyer who was served, but got no pass, asks again: as long as the room's page waits.
const MOMENT: Duration = Duration::from_secs(4);

/// A buyer's browser.
pub(super) struct SimulatedBuyer {
    shop: Arc<Shop>,
    sale: Arc<RehearsedSale>,
    tally: Arc<Tally>,
    number: u32,
    /// Each buyer has a network of its own, so that the rate limits treat each one as a person.
    network: String,
    cookies: BTreeMap<String, String>,
}

impl SimulatedBuyer {
    pub(super) fn new(shop: Arc<Shop>, sale: Arc<RehearsedSale>, tally: Arc<Tally>, number: u32) -> Self {
        // Far apart, so that no wider network has several of them: see RFC 4193 for the prefix.
        let network = format!("fd00:{:x}:{:x}::1", number >> 16, number & 0xffff);
        Self { shop, sale, tally, number, network, cookies: BTreeMap::new() }
    }

    /// Comes at its time, and goes on to its end.
    pub(super) async fn run(mut self) {
        sleep_until(self.sale.arrival(self.number)).await;
        self.tally.came();
        let end = self.buy().await.unwrap_or(BuyerEnd::GaveUp);
        self.tally.ended(end);
    }

    /// `None`: errors until the last try.
    async fn buy(&mut self) -> Option<BuyerEnd> {
        self.get(BuyerStep::Page, &format!("/events/{}", self.sale.slug)).await?;
        if !self.sale.has_room {
            sleep_until(self.sale.opens_form(self.number)).await;
        } else if !self.wait_for_turn().await? {
            return Some(BuyerEnd::SoldOut);
        }
        let wishes = self.sale.wishes(self.number);
        // A buyer who finds no type with two tickets left takes one ticket.
        let alone = wishes.iter().filter(|(_, quantity)| *quantity > 1).map(|(id, _)| (*id, 1));
        for (ticket_type, quantity) in wishes.iter().copied().chain(alone) {
            if self.book(ticket_type, quantity).await? {
                return Some(BuyerEnd::Booked(quantity));
            }
        }
        Some(BuyerEnd::SoldOut)
    }

    /// Takes a place and waits until it is served. `false`: nothing is left.
    async fn wait_for_turn(&mut self) -> Option<bool> {
        let room = format!("/events/{}/queue", self.sale.slug);
        let mut page = self.get(BuyerStep::Page, &room).await?;
        if page.status == 303 {
            return Some(true);
        }
        self.send(BuyerStep::Place, &room, Some(String::new()), None).await?;
        page = self.get(BuyerStep::Page, &room).await?;
        loop {
            if page.body.contains("data-sold-out") {
                return Some(false);
            }
            if page.status == 303 || page.body.contains("class=\"queue__types\"") {
                return Some(true);
            }
            if page.body.contains("data-queue-over") {
                sleep(MOMENT).await;
            } else {
                self.poll_until_it_changes(&page.body).await?;
            }
            page = self.get(BuyerStep::Page, &room).await?;
        }
    }

    /// What the page's script does: polls, until the page has to be asked again.
    async fn poll_until_it_changes(&mut self, page: &str) -> Option<()> {
        let phase = attribute(page, "data-queue").unwrap_or_default().to_owned();
        let position = attribute(page, "data-position").and_then(|it| it.parse::<i64>().ok());
        let line = format!("/events/{}/queue/line", self.sale.slug);
        let (mut etag, mut seconds) = (None, poll_seconds(page));
        // Not all in the same moment.
        sleep(seconds.mul_f64(f64::from(self.number % 100) / 100.0)).await;
        loop {
            let answer = self.send(BuyerStep::Poll, &line, None, etag.as_deref()).await?;
            if answer.status == 200 {
                let served = attribute(&answer.body, "data-served").and_then(|it| it.parse::<i64>().ok());
                let is_served = served.zip(position).is_some_and(|(served, position)| served > position);
                let has_changed = attribute(&answer.body, "data-line") != Some(phase.as_str());
                if is_served || has_changed || answer.body.contains("data-sold-out") {
                    return Some(());
                }
                (etag, seconds) = (answer.etag, poll_seconds(&answer.body));
            }
            sleep(seconds).await;
        }
    }

    /// Opens the form and sends it. `false`: there are not enough tickets of that type.
    async fn book(&mut self, ticket_type: i64, quantity: u32) -> Option<bool> {
        let form = format!("/bookings/new?ticket_type={ticket_type}&quantity={quantity}");
        let mut page = self.get(BuyerStep::Form, &form).await?;
        if page.status == 303 {
            // The room has opened under stress, or the pass is over.
            if !self.wait_for_turn().await? {
                return Some(false);
            }
            page = self.get(BuyerStep::Form, &form).await?;
        }
        let key = attribute_of(&page.body, "name=\"request_key\" value=\"");
        let Some(key) = key.map(str::to_owned) else { return Some(false) };
        sleep(RehearsedSale::thinks(self.number)).await;
        let fields = format!(
            "ticket_type={ticket_type}&quantity={quantity}&name=Buyer+{0}&email=buyer-{0}%40rehearsal.invalid\
             &request_key={key}",
            self.number
        );
        let answer = self.send(BuyerStep::Booking, "/bookings", Some(fields), None).await?;
        match answer.status {
            303 => Some(true),
            409 => Some(false),
            status => {
                self.tally.failed(BuyerStep::Booking, &status.to_string());
                None
            }
        }
    }

    async fn get(&mut self, step: BuyerStep, path: &str) -> Option<ShopAnswer> {
        self.send(step, path, None, None).await
    }

    /// Sends a request until the answer does not say "later". `None`: after the last try.
    async fn send(
        &mut self,
        step: BuyerStep,
        path: &str,
        form: Option<String>,
        etag: Option<&str>,
    ) -> Option<ShopAnswer> {
        for _ in 0..TRIES {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = ShopRequest {
                path,
                form: form.as_deref(),
                cookies: &cookies.join("; "),
                from: &self.network,
                etag,
            };
            self.tally.sent();
            let asked = Instant::now();
            let wait = match self.shop.send(&request).await {
                Ok(answer) if matches!(answer.status, 429 | 500..) => {
                    self.tally.failed(step, &answer.status.to_string());
                    answer.retry_after.map_or(TRY_AGAIN, Duration::from_secs)
                }
                Ok(answer) => {
                    self.tally.took(step, asked.elapsed());
                    self.keep(&answer.cookies);
                    return Some(answer);
                }
                Err(error) => {
                    self.tally.failed(step, &error.kind().to_string());
                    TRY_AGAIN
                }
            };
            sleep(wait).await;
        }
        None
    }

    fn keep(&mut self, cookies: &[(String, String)]) {
        for (name, value) in cookies {
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.clone(), value.clone());
            }
        }
    }
}

fn attribute<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    attribute_of(html, &format!("{name}=\""))
}

/// The text from behind `start` to the next quotation mark.
fn attribute_of<'a>(html: &'a str, start: &str) -> Option<&'a str> {
    html.split_once(start)?.1.split('"').next()
}

fn poll_seconds(html: &str) -> Duration {
    let seconds = attribute(html, "data-poll-seconds").and_then(|it| it.parse().ok());
    Duration::from_secs(seconds.unwrap_or(5))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn sale() -> RehearsedSale {
        RehearsedSale {
            slug: "rehearsal".into(),
            has_room: false,
            types: vec![(1, 10)],
            begins: Instant::now(),
            lobby: Duration::ZERO,
            lasts: Duration::from_secs(60),
            buyers: 1,
        }
    }

    #[tokio::test]
    async fn a_request_that_fails_is_counted_as_a_request_too() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shop = Shop::new(address, "tickets.example".into(), "key".into(), 1_000);
        let tally = Arc::new(Tally::new(Instant::now()));
        let mut buyer = SimulatedBuyer::new(Arc::new(shop), Arc::new(sale()), Arc::clone(&tally), 0);
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            for head in ["503 Busy\r\nretry-after: 0", "200 OK"] {
                assert!(stream.read(&mut [0; 4096]).await.expect("a request") > 0);
                let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.expect("an answer");
            }
        };
        let ((), answer) = tokio::join!(serve, buyer.get(BuyerStep::Page, "/"));
        assert_eq!(answer.map(|answer| answer.status), Some(200));
        let counts = tally.take();
        assert_eq!((counts.requests, counts.errors.values().sum::<u32>()), (2, 1));
    }
}

//! Runs the rehearsals that are asked for, one at a time, on the server that is first. The buyers have a
//! thread of their own, so that they do not slow down the server that they measure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::web;
use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::buyer::SimulatedBuyer;
use super::http::Shop;
use super::report::RehearsalReport;
use super::sale::{RehearsedSale, lobby};
use super::store::copy;
use super::tally::{Strain, Tally};
use super::{Rehearsal, may_rehearse, store};
use crate::app::App;
use crate::db::Db;
use crate::error::Error;
use crate::events::sale::SaleState;
use crate::events::{REHEARSAL_SLUG, store as events};
use crate::reconciliation::reconcile;

const LOOK_EVERY: Duration = Duration::from_secs(2);
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// A rehearsal is over at least this long before a real sale starts.
const BEFORE_SALES: TimeDelta = TimeDelta::hours(1);
/// How often the buyers' thread looks whether it is late.
const LAG_EVERY: Duration = Duration::from_millis(100);

/// How simulated buyers reach this server.
#[derive(Debug, Clone)]
pub struct OwnAddress {
    pub listens_on: SocketAddr,
    pub public_url: String,
    /// How many connections it takes.
    pub room: usize,
    /// The key by which the server recognizes this program's own requests.
    pub key: String,
}

impl OwnAddress {
    /// With a new key.
    #[must_use]
    pub fn new(listens_on: SocketAddr, public_url: &str, room: usize) -> Self {
        Self { listens_on, public_url: public_url.to_owned(), room, key: random_hex() }
    }

    fn shop(&self) -> Shop {
        let own = match self.listens_on.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let host = self.public_url.split_once("://").map_or(self.public_url.as_str(), |(_, host)| host);
        let host = host.split('/').next().unwrap_or_default().to_owned();
        Shop::new(SocketAddr::new(own, self.listens_on.port()), host, self.key.clone(), self.room)
    }
}

/// Runs rehearsals as long as the program runs.
pub async fn keep_rehearsing(app: web::Data<App>, own: OwnAddress) {
    loop {
        sleep(LOOK_EVERY).await;
        // While the database is away there is nothing to rehearse; others log that it is away.
        if let Ok(Some(asked)) = app.db.read_primary(store::open).await
            && let Err(error) = attend(&app, &own, &asked).await
        {
            log::warn!("a rehearsal failed: {error}");
        }
    }
}

/// Runs the rehearsal that waits, or ends the one whose server is gone.
async fn attend(app: &web::Data<App>, own: &OwnAddress, asked: &Rehearsal) -> Result<(), Error> {
    if asked.started_at.is_some() {
        if app.db.write(store::end_abandoned).await? {
            log::info!("a rehearsal was abandoned; its copy is deleted");
            app.show_changes().await?;
        }
        return Ok(());
    }
    let Some(rehearsal) = app.db.write(store::take).await? else { return Ok(()) };
    log::info!("a rehearsal begins: {} buyers, {} minutes", rehearsal.buyers, rehearsal.minutes);
    let result = match refusal(app, rehearsal.minutes) {
        Some(why) => Err(why),
        None => run(app, own, &rehearsal).await.unwrap_or_else(|error| Err(format!("It failed: {error}"))),
    };
    match &result {
        Ok(_) => log::info!("the rehearsal is over"),
        Err(why) => log::warn!("the rehearsal has no result: {why}"),
    }
    app.db.write(move |db| store::end(db, rehearsal.id, &result)).await?;
    app.show_changes().await
}

/// Why there can be no rehearsal of that length now: real buyers come first.
#[must_use]
pub fn refusal(app: &App, minutes: i32) -> Option<String> {
    let free_until = app.board.now() + TimeDelta::minutes(minutes.into()) + BEFORE_SALES;
    let starts_soon = |state| matches!(state, SaleState::NotYet(starts) if starts < free_until);
    let listings = app.board.listings();
    let real = listings.iter().filter(|listing| !listing.event.is_rehearsal() && !listing.is_over());
    for listing in real {
        let name = &listing.event.name;
        if listing.ticket_types.iter().any(|it| starts_soon(listing.sale_state(it.id))) {
            return Some(format!(
                "The sale of {name} starts within an hour of the end of the rehearsal. Rehearse after it, or for a shorter time."
            ));
        }
        let room = app.rooms.find(listing.event.id);
        if room
            .is_some_and(|open| open.room.opened_at.is_some() && !open.is_sold_out() && !open.line_is_empty())
        {
            return Some(format!(
                "People wait for tickets of {name} right now. Rehearse when they are served."
            ));
        }
    }
    None
}

/// Plays the sale. The copy is deleted by the caller.
async fn run(
    app: &web::Data<App>,
    own: &OwnAddress,
    rehearsal: &Rehearsal,
) -> Result<Result<String, String>, Error> {
    let plan = (rehearsal.buyers, rehearsal.minutes);
    let (id, concert_id) = (rehearsal.id, rehearsal.concert_id);
    let slug = format!("{REHEARSAL_SLUG}{}", random_hex());
    let starts_at = app.board.now() + TimeDelta::from_std(lobby(plan.1)).unwrap_or_default();
    let make = move |db: &mut Db| {
        let concert = events::find(db, concert_id)?;
        if let Err(why) = may_rehearse(&concert, starts_at) {
            return Ok(Err(why.to_owned()));
        }
        let copied = copy::make(db, &concert, &slug, starts_at)?;
        store::note_copy(db, id, copied.0.id)?;
        Ok(Ok(copied))
    };
    let begins = Instant::now();
    let copied = match app.db.write(make).await? {
        Ok(copied) => copied,
        Err(why) => return Ok(Err(why)),
    };
    app.show_changes().await?;
    let capacity: i64 = copied.1.iter().map(|it| i64::from(it.capacity)).sum();
    if capacity == 0 {
        return Ok(Err("The concert has no tickets to sell.".into()));
    }
    let sale = Arc::new(RehearsedSale::new(&copied, plan, begins));
    let tally = Arc::new(Tally::new(sale.starts()));
    let buyers = send_buyers(own.shop(), &sale, &tally)?;
    let mut stopped = false;
    while !buyers.is_finished() && !stopped {
        sleep(NOTE_EVERY).await;
        tally.note_strain(strain(app, copied.0.id));
        let progress = tally.progress(sale.buyers);
        // While the database is away, this goes on. If that takes longer than the lease, another server may end it.
        stopped = app.db.write(move |db| store::go_on(db, id, &progress)).await.unwrap_or(false);
    }
    buyers.stop();
    let (counts, verified) = (tally.take(), app.db.read_primary(reconcile).await?);
    let report = RehearsalReport::new(&sale, &counts, capacity, &verified);
    Ok(serde_json::to_string(&report).map_err(|error| error.to_string()))
}

/// Twenty hexadecimal digits that nobody guesses.
fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 10]>())
}

fn strain(app: &App, event_id: i64) -> Strain {
    let room = app.rooms.find(event_id);
    Strain {
        queue_fill: app.desk.queue_fill(),
        under_stress: app.board.pace().is_slow,
        at_room_limit: room.is_some_and(|open| {
            open.room.per_second >= open.room.most_per_second && !open.line_is_empty() && !open.is_sold_out()
        }),
    }
}

/// The thread of the buyers.
struct BuyersThread {
    thread: thread::JoinHandle<()>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl BuyersThread {
    fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    fn stop(self) {
        // No receiver: the thread has ended.
        let _: Result<_, _> = self.stop.send(true);
    }
}

/// Sends all buyers; the thread ends when the last one is done, or the time is over.
fn send_buyers(shop: Shop, sale: &Arc<RehearsedSale>, tally: &Arc<Tally>) -> Result<BuyersThread, Error> {
    let failed = |error: std::io::Error| Error::Internal(format!("the buyers of a rehearsal: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let (shop, sale, tally) = (Arc::new(shop), Arc::clone(sale), Arc::clone(tally));
    let work = move || {
        runtime.block_on(async {
            let mut buyers = JoinSet::new();
            for number in 0..sale.buyers {
                let (shop, sale, tally) = (Arc::clone(&shop), Arc::clone(&sale), Arc::clone(&tally));
                buyers.spawn(SimulatedBuyer::new(shop, sale, tally, number).run());
            }
            tokio::select! {
                () = async { while buyers.join_next().await.is_some() {} } => {}
                () = sleep_until(sale.ends()) => {}
                _ = stopped.changed() => {}
                () = watch_own_lag(&tally) => {}
            }
        });
    };
    let thread = thread::Builder::new().name("rehearsal".into()).spawn(work).map_err(failed)?;
    Ok(BuyersThread { thread, stop })
}

async fn watch_own_lag(tally: &Tally) {
    loop {
        let due = Instant::now() + LAG_EVERY;
        sleep_until(due).await;
        tally.note_own_lag(due.elapsed());
    }
}

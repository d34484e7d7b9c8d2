//! The open connections: how many each network holds, and which of them wait for a request.
//!
//! Each network has a share of the room, so that one network cannot take all of it. When room gets scarce,
//! connections that never asked for anything go first; when there is none left, those that have been idle
//! longest go. A connection whose request is being received or answered is never ended here.
//!
//! How long a request may take does not belong here: see `connections::timed_stream`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use ipnet::{IpNet, Ipv6Net};
use parking_lot::Mutex;

use crate::guard::client_address::{TrustedProxies, network_of};

/// One network (an IPv4 address, or an IPv6 /64) holds at most one in this many of all connections: behind
/// one address may be a household or, with carrier-grade NAT, a crowd.
const NETWORK_PART: usize = 25;
/// The same for all networks of one IPv6 /48 together: a rented machine often gets a whole /48.
const SITE_PART: usize = 5;
/// A server with few connections still lets a few browsers of one network in: each opens up to six.
const NETWORK_MIN: usize = 32;

/// Between two looks at the room.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// When room is scarce, a new connection has this long to begin its first request.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// When there is no room left, connections that were answered as recently as this still stay.
const IDLE_MIN: Duration = Duration::from_secs(1);
/// When there is no room left, one in this many of all connections is ended at once.
const CUT_PART: usize = 50;

/// Between two lines of the log.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// How many connections each network may hold.
#[derive(Debug, Clone, Default)]
pub struct NetworkLimits {
    /// Trusted proxies. Their connections carry the requests of many visitors, so they are not counted.
    pub proxies: TrustedProxies,
    /// Whether a network has a limit at all.
    pub is_on: bool,
}

/// All open connections of a server.
pub(super) struct ConnectionTable {
    room: usize,
    limits: NetworkLimits,
    opened: Instant,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    count: usize,
    networks: HashMap<IpNet, usize>,
    /// Those that may be ended when room is scarce, by number.
    entries: HashMap<u64, Arc<ConnectionState>>,
    next_number: u64,
    last_line: Option<Instant>,
}

/// What a connection does, in one number: [`BUSY`], [`CUT`], or since when it waits for a request, in milliseconds
/// since the table was made, doubled; the last bit says whether it ever sent one.
struct ConnectionState {
    state: AtomicU64,
    waker: AtomicWaker,
}

const BUSY: u64 = u64::MAX;
const CUT: u64 = u64::MAX - 1;

/// The place of one connection, given back when dropped.
pub(super) struct Connection {
    table: Arc<ConnectionTable>,
    entry: Arc<ConnectionState>,
    /// `None`: not counted.
    counted: Option<(u64, IpAddr)>,
}

/// How many connections one network may hold on a server that takes that many.
#[must_use]
pub fn network_share(room: usize) -> usize {
    (room / NETWORK_PART).max(NETWORK_MIN)
}

impl ConnectionTable {
    pub(super) fn new(room: usize, limits: NetworkLimits) -> Self {
        Self { room, limits, opened: Instant::now(), open: Mutex::default() }
    }

    /// A place for a connection from that address; `None` when its network holds as many as it may.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Connection> {
        let entry = Arc::new(ConnectionState {
            state: AtomicU64::new(self.waiting(false)),
            waker: AtomicWaker::new(),
        });
        let mut open = self.open.lock();
        let counted = if self.limits.proxies.include(peer.to_canonical()) {
            None
        } else {
            if let Some((network, most)) = self.is_full(&open, peer) {
                open.log_full(network, most);
                return None;
            }
            for (network, _) in self.shares(peer) {
                *open.networks.entry(network).or_default() += 1;
            }
            let number = open.next_number;
            open.next_number += 1;
            open.entries.insert(number, Arc::clone(&entry));
            Some((number, peer))
        };
        open.count += 1;
        drop(open);
        Some(Connection { table: Arc::clone(self), entry, counted })
    }

    /// The networks that an address is counted in, and how many connections each may hold.
    fn shares(&self, peer: IpAddr) -> impl Iterator<Item = (IpNet, usize)> + use<> {
        let network = network_of(peer);
        let narrow = network_share(self.room);
        let (bits, wide) = match network {
            IpAddr::V4(_) => (32, None),
            IpAddr::V6(v6) => (64, Ipv6Net::new(v6, 48).ok().map(|site| IpNet::V6(site.trunc()))),
        };
        let wide = wide.map(|site| (site, (self.room / SITE_PART).max(2 * NETWORK_MIN)));
        let narrow = IpNet::new(network, bits).ok().map(|network| (network, narrow));
        narrow.into_iter().chain(wide)
    }

    fn is_full(&self, open: &Open, peer: IpAddr) -> Option<(IpNet, usize)> {
        let held = |network: &IpNet| open.networks.get(network).copied().unwrap_or_default();
        self.shares(peer).find(|(network, most)| self.limits.is_on && held(network) >= *most)
    }

    fn waiting(&self, has_asked: bool) -> u64 {
        let elapsed = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or_default();
        elapsed << 1 | u64::from(has_asked)
    }

    /// Ends connections for as long as the server runs, whenever room gets scarce.
    pub(super) async fn keep_room(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.make_room(Instant::now());
        }
    }

    fn make_room(&self, now: Instant) {
        let open = self.open.lock();
        if open.count * 5 <= self.room * 4 {
            return;
        }
        let now = u64::try_from((now - self.opened).as_millis()).unwrap_or_default();
        let age = |state: u64| Duration::from_millis(now.saturating_sub(state >> 1));
        let entries = open.entries.values();
        // Those that never asked come first, and of each kind those that have waited longest.
        let mut waiting: Vec<(bool, u64, &Arc<ConnectionState>)> = entries
            .map(|entry| (entry.state.load(Ordering::Relaxed), entry))
            .filter(|(state, _)| *state < CUT)
            .map(|(state, entry)| (state & 1 == 1, state, entry))
            .collect();
        let is_silent = |(has_asked, state, _): &(bool, u64, _)| !has_asked && age(*state) >= SILENCE_MAX;
        let mut cut: Vec<_> = waiting.extract_if(.., |it| is_silent(it)).collect();
        if open.count >= self.room && cut.is_empty() {
            waiting.sort_unstable_by_key(|(has_asked, state, _)| (*has_asked, *state));
            let idle = waiting.into_iter().filter(|(_, state, _)| age(*state) >= IDLE_MIN);
            cut.extend(idle.take(self.room.div_ceil(CUT_PART)));
        }
        for (_, state, entry) in cut {
            entry.cut(state);
        }
    }
}

impl Open {
    fn log_full(&mut self, network: IpNet, most: usize) {
        let now = Instant::now();
        if self.last_line.is_none_or(|last| now - last >= LINE_EVERY) {
            self.last_line = Some(now);
            log::warn!(
                "{network} has reached its limit of {most} connections; if it is your proxy, add it to TRUSTED_PROXIES"
            );
        }
    }
}

impl ConnectionState {
    /// Ends the connection, unless a request has begun meanwhile.
    fn cut(&self, state: u64) {
        if self.state.compare_exchange(state, CUT, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.waker.wake();
        }
    }
}

impl Connection {
    /// A request has begun.
    pub(super) fn set_busy(&self) {
        self.entry.state.store(BUSY, Ordering::Relaxed);
    }

    /// A response has been sent, or a part of one.
    pub(super) fn set_waiting(&self) {
        self.entry.state.store(self.table.waiting(true), Ordering::Relaxed);
    }

    /// Ready once the connection is to end.
    pub(super) fn poll_cut(&self, context: &mut Context<'_>) -> Poll<()> {
        // Before the look at the state, so that no wake-up is missed.
        self.entry.waker.register(context.waker());
        if self.entry.state.load(Ordering::Acquire) == CUT { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.table.open.lock();
        open.count -= 1;
        let Some((number, peer)) = self.counted else { return };
        open.entries.remove(&number);
        for (network, _) in self.table.shares(peer) {
            if let Some(held) = open.networks.get_mut(&network) {
                *held -= 1;
                if *held == 0 {
                    open.networks.remove(&network);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Chooses which of the waiting sign-ins goes next, so that a crowd of attackers does not keep the organizer out.
//!
//! Two rules, and neither is "first come, first served", which a botnet always wins:
//!
//! - Networks are drawn, not attempts: first one of the large networks that wait, then a smaller one inside it, then
//!   one client inside that. A host that has a whole IPv6 allocation counts as one, however many addresses it uses.
//! - Every second draw is only among networks in which nobody has typed a wrong password lately, if there are any.
//!   A wrong guess costs an attacker's network this advantage for about a day. The organizer on a new phone
//!   still has it.
//!
//! When all places are taken, a newcomer takes the place of an attempt from the most crowded network.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use rand::Rng;
use rand::seq::IndexedRandom as _;

/// How many attempts may wait.
pub const PLACES: usize = 16;

/// Prefix lengths in IPv4 and IPv6, the largest network first: that of a provider, a site, and a client.
const LEVELS: [(u8, u8); 3] = [(16, 32), (24, 48), (32, 64)];
/// The level at which wrong passwords are remembered: a host gets a /48 as easily as a /64.
const FAILED_LEVEL: usize = 1;

/// Networks with a wrong password are remembered for one to two of these.
const FAILED_REMEMBERED: Duration = Duration::from_secs(12 * 3600);
/// How many networks are remembered in one such period: half a megabyte. A full set begins a new period at
/// once, so the older networks are forgotten sooner.
const FAILED_MAX: usize = 20_000;

/// The attempts that wait. `T` is the handle that tells an attempt when it is its turn.
pub struct FairQueue<T> {
    waiting: Vec<Waiting<T>>,
    failed: FailedNetworks,
    draws: u64,
}

struct Waiting<T> {
    networks: [IpAddr; LEVELS.len()],
    turn: T,
}

/// Among which networks of a level to choose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Among {
    All,
    MostCrowded,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { waiting: Vec::new(), failed: FailedNetworks::default(), draws: 0 }
    }
}

impl<T> FairQueue<T> {
    /// Adds an attempt. Returns the one that has to leave because all places are taken, which may be the new one.
    #[must_use]
    pub fn push(&mut self, address: IpAddr, turn: T, random: &mut impl Rng) -> Option<T> {
        self.waiting.push(Waiting { networks: networks(address), turn });
        if self.waiting.len() <= PLACES {
            return None;
        }
        let leaving = self.choose((0..self.waiting.len()).collect(), Among::MostCrowded, random)?;
        Some(self.waiting.remove(leaving).turn)
    }

    /// Takes the attempt that goes next. `waits`: whether an attempt still waits, and was not given up.
    pub fn pop(&mut self, waits: impl Fn(&T) -> bool, random: &mut impl Rng) -> Option<T> {
        self.waiting.retain(|it| waits(&it.turn));
        self.draws += 1;
        let all = || (0..self.waiting.len()).collect::<Vec<_>>();
        let mut drawn_from = all();
        if self.draws.is_multiple_of(2) {
            drawn_from.retain(|at| !self.failed.contain(&self.waiting[*at].networks[FAILED_LEVEL]));
        }
        if drawn_from.is_empty() {
            drawn_from = all();
        }
        let next = self.choose(drawn_from, Among::All, random)?;
        Some(self.waiting.remove(next).turn)
    }

    /// Remembers that somebody at this address has typed a wrong password.
    pub fn note_failure(&mut self, address: IpAddr) {
        self.failed.note(networks(address)[FAILED_LEVEL], Instant::now());
    }

    /// Narrows the candidates down from large networks to small ones. Returns the remaining one's index.
    fn choose(&self, mut candidates: Vec<usize>, among: Among, random: &mut impl Rng) -> Option<usize> {
        for level in 0..LEVELS.len() {
            let network_of = |at: &usize| self.waiting[*at].networks[level];
            let size = |network: &IpAddr| candidates.iter().filter(|at| network_of(at) == *network).count();
            let mut networks: Vec<IpAddr> = candidates.iter().map(network_of).collect();
            networks.sort_unstable();
            networks.dedup();
            if among == Among::MostCrowded {
                let largest = networks.iter().map(size).max();
                networks.retain(|network| Some(size(network)) == largest);
            }
            let chosen = *networks.choose(random)?;
            candidates.retain(|at| network_of(at) == chosen);
        }
        // In one network the first goes first, and the last has to leave.
        if among == Among::All { candidates.first().copied() } else { candidates.last().copied() }
    }
}

fn networks(address: IpAddr) -> [IpAddr; LEVELS.len()] {
    LEVELS.map(|(v4_bits, v6_bits)| {
        let bits = if address.is_ipv4() { v4_bits } else { v6_bits };
        IpNet::new(address, bits).map_or(address, |network| network.network())
    })
}

/// Networks with a wrong password lately: those of this half-day and those of the one before.
#[derive(Default)]
struct FailedNetworks {
    current: HashSet<IpAddr>,
    previous: HashSet<IpAddr>,
    began: Option<Instant>,
}

impl FailedNetworks {
    fn note(&mut self, network: IpAddr, now: Instant) {
        let is_over = self.began.is_some_and(|began| now.duration_since(began) >= FAILED_REMEMBERED);
        if is_over || self.current.len() >= FAILED_MAX {
            self.previous = std::mem::take(&mut self.current);
            self.began = None;
        }
        self.began.get_or_insert(now);
        self.current.insert(network);
    }

    fn contain(&self, network: &IpAddr) -> bool {
        self.current.contains(network) || self.previous.contains(network)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    const ORGANIZER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

    /// A client of one hosted /48.
    fn of_one_host(number: u16) -> IpAddr {
        IpAddr::from([0x2001, 0xdb8, 7, number, 0, 0, 0, 1])
    }

    fn pop(queue: &mut FairQueue<&'static str>, random: &mut StdRng) -> Option<&'static str> {
        queue.pop(|_| true, random)
    }

    #[test]
    fn a_host_with_many_networks_delays_nobody_by_more_than_one_draw() {
        let random = &mut StdRng::seed_from_u64(1);
        for organizers_try in 0..100 {
            let mut queue = FairQueue::default();
            queue.note_failure(of_one_host(0));
            for _ in 0..organizers_try % 2 {
                assert_eq!(pop(&mut queue, random), None, "draws of both kinds come first");
            }
            for number in 0..1000 {
                let _ = queue.push(of_one_host(number), "bot", random);
            }
            assert_eq!(queue.push(ORGANIZER, "organizer", random), Some("bot"), "the crowd makes room");
            for number in 0..1000 {
                assert_eq!(queue.push(of_one_host(number), "bot", random), Some("bot"));
            }
            let first_two = [pop(&mut queue, random), pop(&mut queue, random)];
            assert!(first_two.contains(&Some("organizer")), "{first_two:?}");
        }
    }

    /// Each second a number of attempts from networks that have nothing in common and failed nothing, and one draw.
    #[test]
    fn a_botnet_from_everywhere_leaves_the_organizer_a_fair_share() {
        let random = &mut StdRng::seed_from_u64(2);
        for bots_a_second in [1_u32, 5, 20] {
            let (mut queue, mut got_in) = (FairQueue::default(), 0);
            let tries = 2_000;
            for _ in 0..tries {
                let mut is_waiting = queue.push(ORGANIZER, "organizer", random) != Some("organizer");
                // An attempt waits for ten seconds.
                for _ in 0..10 {
                    for _ in 0..bots_a_second {
                        let bot = IpAddr::from(random.random::<[u8; 4]>());
                        is_waiting &= queue.push(bot, "bot", random) != Some("organizer");
                    }
                    if pop(&mut queue, random) == Some("organizer") {
                        got_in += 1;
                        is_waiting = false;
                    }
                    if !is_waiting {
                        break;
                    }
                }
                let _ = queue.pop(|turn| *turn != "organizer", random);
            }
            // Only half a fair share is asked for: in this test all bots of a second arrive before its draw.
            let fair = tries / (bots_a_second + 1);
            assert!(got_in >= fair / 2, "{got_in} of {tries}, of which {fair} are fair");
        }
    }

    #[test]
    fn who_has_mistyped_is_drawn_too() {
        let random = &mut StdRng::seed_from_u64(3);
        let mut queue = FairQueue::default();
        queue.note_failure(ORGANIZER);
        let mut draws = 0;
        let _ = queue.push(ORGANIZER, "organizer", random);
        loop {
            for _ in 0..PLACES {
                let _ = queue.push(IpAddr::from(random.random::<[u8; 4]>()), "bot", random);
            }
            draws += 1;
            match pop(&mut queue, random) {
                Some("organizer") => break,
                _ if queue.waiting.iter().any(|it| it.turn == "organizer") => {}
                _ => drop(queue.push(ORGANIZER, "organizer", random)),
            }
            assert!(draws < 1_000, "never drawn");
        }
    }

    #[test]
    fn an_attempt_that_was_given_up_takes_no_turn() {
        let random = &mut StdRng::seed_from_u64(4);
        let mut queue = FairQueue::default();
        let _ = queue.push(of_one_host(1), "given up", random);
        let _ = queue.push(of_one_host(2), "waits", random);
        assert_eq!(queue.pop(|turn| *turn == "waits", random), Some("waits"));
        assert_eq!(pop(&mut queue, random), None);
    }

    #[test]
    fn failures_are_remembered_for_half_a_day_at_least_and_bounded() {
        let mut failed = FailedNetworks::default();
        let begun = Instant::now();
        let at = |hours: u64| begun + Duration::from_secs(hours * 3600);
        failed.note(of_one_host(1), at(0));
        failed.note(of_one_host(2), at(11));
        failed.note(of_one_host(3), at(13));
        assert!(failed.contain(&of_one_host(1)) && failed.contain(&of_one_host(2)));
        failed.note(of_one_host(4), at(26));
        assert!(!failed.contain(&of_one_host(2)) && failed.contain(&of_one_host(3)));
        for number in 0..3 * FAILED_MAX as u32 {
            failed.note(IpAddr::from(number.to_be_bytes()), at(27));
        }
        assert!(failed.current.len() + failed.previous.len() <= 2 * FAILED_MAX);
    }
}

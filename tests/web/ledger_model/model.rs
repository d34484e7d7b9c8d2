//! The model of a booking's money, computed in memory.

use crate::ledger_model::{Event, FEE, PRICE, SEATS};

#[derive(Default)]
pub struct Model {
    returned: Vec<i32>,
    /// In the order in which they began.
    returns: Vec<Return>,
}

struct Return {
    kind: Kind,
    state: State,
    minor: i64,
    /// The part that exceeds what was left of the payment.
    beyond: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ours,
    Outside,
    Dispute,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    OnItsWay,
    Done,
    Failed,
}

impl Model {
    /// Returns whether anything happened.
    pub fn perform(&mut self, event: Event) -> bool {
        match event {
            Event::GiveBack { seat, is_buyer } => self.give_back(seat, is_buyer),
            Event::RefundAmount { minor } => {
                let is_left = minor <= self.left();
                if is_left {
                    self.begin(Kind::Ours, State::Waits, minor);
                }
                is_left
            }
            Event::Accept { is_done } => {
                let state = if is_done { State::Done } else { State::OnItsWay };
                self.change(|it| it.kind == Kind::Ours && it.state == State::Waits, state)
            }
            Event::Refuse => {
                self.change(|it| it.kind == Kind::Ours && it.state == State::Waits, State::Failed)
            }
            Event::ComeBack => self.change(
                |it| it.kind != Kind::Dispute && matches!(it.state, State::OnItsWay | State::Done),
                State::Failed,
            ),
            Event::Outside { minor } => self.begin_outside(Kind::Outside, State::Done, minor),
            Event::Dispute { minor } => self.begin_outside(Kind::Dispute, State::OnItsWay, minor),
            Event::Decide { is_won } => {
                let state = if is_won { State::Failed } else { State::Done };
                self.change(|it| it.kind == Kind::Dispute && it.state == State::OnItsWay, state)
            }
        }
    }

    /// The amount that was asked back, and the sum of the ledger without Stripe's fee.
    pub fn money(&self) -> (i64, i64) {
        let alive = self.returns.iter().filter(|it| it.state != State::Failed);
        let asked = alive.clone().map(|it| it.minor - it.beyond).sum();
        let gone: i64 = alive.filter(|it| it.state != State::Waits).map(|it| it.minor).sum();
        (asked, PRICE * i64::from(SEATS) - gone)
    }

    /// Whether `verify` must name something: a refund that failed, more money returned than was paid, or a dispute
    /// that was won after tickets were given back for which no money was left.
    pub fn has_named_exception(&self) -> bool {
        let failed = |it: &Return| it.state == State::Failed;
        self.returns.iter().any(|it| failed(it) || (it.state != State::Failed && it.beyond > 0))
    }

    fn left(&self) -> i64 {
        PRICE * i64::from(SEATS) - self.money().0
    }

    fn give_back(&mut self, seat: i32, is_buyer: bool) -> bool {
        if self.returned.contains(&seat) {
            return false;
        }
        self.returned.push(seat);
        let back = (if is_buyer { PRICE - FEE } else { PRICE }).min(self.left());
        if back > 0 {
            self.begin(Kind::Ours, State::Waits, back);
        }
        true
    }

    fn begin(&mut self, kind: Kind, state: State, minor: i64) {
        let beyond = (minor - self.left()).max(0);
        self.returns.push(Return { kind, state, minor, beyond });
    }

    /// The event is not recorded while one of our refunds waits that may be refused because of it.
    fn begin_outside(&mut self, kind: Kind, state: State, minor: i64) -> bool {
        let waits = self.returns.iter().any(|it| it.state == State::Waits);
        if minor > self.left() && waits {
            return false;
        }
        self.begin(kind, state, minor);
        true
    }

    fn change(&mut self, is_meant: impl Fn(&Return) -> bool, state: State) -> bool {
        let Some(found) = self.returns.iter_mut().find(|it| is_meant(it)) else { return false };
        found.state = state;
        true
    }
}

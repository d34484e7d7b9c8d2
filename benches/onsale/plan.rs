//! The order and the length of the measurements.

use std::time::Duration;

use crate::Result;
use crate::contender::{Contender, Kind};
use crate::report::Row;

/// How long and how often each contender is measured.
pub struct Plan {
    pub rounds: usize,
    pub warm_up: Duration,
    pub measured: Duration,
    /// At how many connections each kind of contender is measured.
    connections: fn(Kind) -> &'static [usize],
}

impl Plan {
    pub const FULL: Self = Self {
        rounds: 3,
        warm_up: Duration::from_millis(1000),
        measured: Duration::from_millis(4000),
        connections: |kind| match kind {
            Kind::Pgbench => &[64],
            Kind::PostgresWithoutMail
            | Kind::SqliteWithoutMail
            | Kind::PostgresTwoLines
            | Kind::SqliteTwoLines
            | Kind::PostgresHolds
            | Kind::SqliteHolds => &[1024],
            _ => &[64, 256, 1024],
        },
    };

    /// One short round of the contenders that the ratios need.
    pub const QUICK: Self = Self {
        rounds: 1,
        warm_up: Duration::from_millis(500),
        measured: Duration::from_millis(2000),
        connections: |kind| match kind {
            Kind::PostgresBatched | Kind::NoDatabase => &[64, 1024],
            Kind::Pgbench => &[64],
            _ => &[1024],
        },
    };

    /// With and without a database, and nothing else. It is short, so that builds of two commits can take turns.
    pub const FLOORS: Self = Self {
        connections: |kind| match kind {
            Kind::PostgresBatched | Kind::SqliteBatched | Kind::NoDatabase => &[1024],
            _ => &[],
        },
        measured: Duration::from_millis(3000),
        ..Self::FULL
    };

    /// The cost of the outbox, and nothing else.
    pub const OUTBOX: Self = Self {
        rounds: 7,
        connections: |kind| match kind {
            Kind::PostgresBatched
            | Kind::SqliteBatched
            | Kind::PostgresWithoutMail
            | Kind::SqliteWithoutMail => &[1024],
            _ => &[],
        },
        ..Self::FULL
    };

    /// The cost of bookings of two ticket types and of holds, and nothing else.
    pub const KINDS: Self = Self {
        rounds: 5,
        connections: |kind| match kind {
            Kind::PostgresBatched
            | Kind::SqliteBatched
            | Kind::PostgresTwoLines
            | Kind::SqliteTwoLines
            | Kind::PostgresHolds
            | Kind::SqliteHolds => &[1024],
            _ => &[],
        },
        ..Self::FULL
    };

    /// Measures all contenders in turns, so that a temporary disturbance of the machine affects all of them.
    pub fn run(&self, contenders: &mut [Contender]) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        for connections in [64, 256, 1024] {
            for contender in contenders.iter() {
                if (self.connections)(contender.kind).contains(&connections) {
                    rows.push(Row::new(contender.kind, connections));
                }
            }
        }
        for round in 1..=self.rounds {
            for row in &mut rows {
                let Some(contender) = contenders.iter_mut().find(|it| it.kind == row.kind) else { continue };
                eprintln!("round {round} of {}: {}, {}", self.rounds, row.kind.name(), row.connections);
                row.rounds.push(contender.measure(row.connections, self)?);
            }
        }
        Ok(rows)
    }
}

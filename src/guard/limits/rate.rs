//! How often is often: a rate as operators write it.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use governor::Quota;

use super::cells::STEP;

/// The quickest rate there is, ten thousand a second: the table of cells measures time in steps of 4 µs.
const INTERVAL_MIN: Duration = Duration::from_micros(100);
/// What takes longer to be whole again is no limit on a rate.
const REFILL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// So many requests in a period: `30/minute` lets 30 through at once, and then one every two seconds;
/// `30/minute burst 5` lets only 5 through at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Between two requests that go on for ever.
    interval: Duration,
    /// Requests that go through at once, after a pause that was long enough.
    burst: NonZeroU32,
}

impl Rate {
    #[must_use]
    pub const fn interval(self) -> Duration {
        self.interval
    }

    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst.get()
    }

    /// So many times this rate, at most the quickest that there is.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        let burst = self.burst.saturating_mul(NonZeroU32::new(factor).unwrap_or(NonZeroU32::MIN));
        Self { interval: (self.interval / factor.max(1)).max(INTERVAL_MIN), burst }
    }

    /// After which time of silence the whole burst may go through again.
    #[must_use]
    pub fn refill(self) -> Duration {
        self.interval * self.burst.get()
    }

    pub(super) fn quota(self) -> Quota {
        let steps = self.interval.as_nanos() / STEP.as_nanos();
        let interval = STEP * u32::try_from(steps).unwrap_or(u32::MAX);
        // Never the other: an interval is INTERVAL_MIN or longer.
        Quota::with_period(interval).unwrap_or(Quota::per_second(self.burst)).allow_burst(self.burst)
    }
}

impl FromStr for Rate {
    /// What is wrong with it.
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rate, burst) = match text.split_once(" burst ") {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let (count, period) = rate.split_once('/').ok_or("not a number in a period")?;
        let number = |text: &str| text.trim().parse::<NonZeroU32>().map_err(|_| "not a number above 0");
        let count = number(count)?;
        let period = match period.trim() {
            "second" => Duration::from_secs(1),
            "minute" => Duration::from_secs(60),
            "hour" => Duration::from_secs(60 * 60),
            _ => return Err("the period is neither second, minute nor hour"),
        };
        let rate = Self { interval: period / count.get(), burst: burst.map_or(Ok(count), number)? };
        if rate.interval < INTERVAL_MIN {
            return Err("more than 10000 a second");
        }
        if rate.interval.checked_mul(rate.burst.get()).is_none_or(|refill| refill > REFILL_MAX) {
            return Err("a burst that takes longer than a day to be allowed again");
        }
        Ok(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_reads_as_it_is_spoken() {
        for (text, interval_ms, burst, refill) in [
            ("30/minute", 2000, 30, 60),
            ("30/minute burst 5", 2000, 5, 10),
            ("1/hour", 3_600_000, 1, 3600),
            (" 10 / second burst 1200 ", 100, 1200, 120),
        ] {
            let rate: Rate = text.parse().expect(text);
            assert_eq!(rate.interval(), Duration::from_millis(interval_ms), "{text}");
            assert_eq!((rate.burst(), rate.refill()), (burst, Duration::from_secs(refill)), "{text}");
            let counted = rate.quota().replenish_interval();
            assert!(counted <= rate.interval() && counted + STEP > rate.interval(), "{counted:?}");
            assert_eq!(rate.quota().burst_size().get(), burst);
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "",
            "30",
            "off",
            "/minute",
            "0/minute",
            "-1/minute",
            "1.5/second",
            "30/day",
            "30/minutes",
            "30/minute burst",
            "30/minute burst 0",
            "30/minute burst x",
            "10001/second",
            "1/hour burst 25",
            "4294967295/hour burst 4294967295",
            "99999999999/second",
            "30/minute/2",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}

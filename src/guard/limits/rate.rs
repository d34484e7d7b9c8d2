//! A rate as operators write it: `30/minute burst 5`.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use governor::Quota;

use super::cells::STEP;

/// The fastest rate, ten thousand a second: the table of cells measures time in steps of 4 µs.
const INTERVAL_MIN: Duration = Duration::from_micros(100);
/// The longest time in which a used-up burst may refill.
const REFILL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A number of requests in a period: `30/minute` allows 30 at once, then one every two seconds; `30/minute burst 5`
/// allows only 5 at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Between two requests at a steady pace.
    interval: Duration,
    /// Requests that pass at once after a long enough pause.
    burst: NonZeroU32,
}

impl Rate {
    /// Sign-in attempts for each address: ten a minute. An office of organizers stays below it.
    pub const SIGN_IN: Self =
        Self { interval: Duration::from_secs(6), burst: NonZeroU32::MIN.saturating_add(9) };

    /// The organizer's pages for each address: ten a second, sixty at once. Ten open desks together ask twice
    /// a second.
    pub const ADMIN: Self =
        Self { interval: Duration::from_millis(100), burst: NonZeroU32::MIN.saturating_add(59) };

    /// Mails for each recipient: ten at once, then one each half hour.
    pub const MAILS: Self =
        Self { interval: Duration::from_secs(30 * 60), burst: NonZeroU32::MIN.saturating_add(9) };

    /// Pictures for each address: one a second, sixty at once. A site that shows links to concerts fetches each once.
    pub const PREVIEWS: Self =
        Self { interval: Duration::from_secs(1), burst: NonZeroU32::MIN.saturating_add(59) };

    /// Places in waiting rooms for each address: thirty at once, then one each ten seconds. A household, an office or a
    /// small dormitory stays below it; a program gets two hundred in half an hour, and per-person limits still hold.
    pub const PLACES: Self =
        Self { interval: Duration::from_secs(10), burst: NonZeroU32::MIN.saturating_add(29) };

    #[must_use]
    pub const fn interval(self) -> Duration {
        self.interval
    }

    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst.get()
    }

    /// This rate multiplied by `factor`, up to the fastest rate that there is.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        let burst = self.burst.saturating_mul(NonZeroU32::new(factor).unwrap_or(NonZeroU32::MIN));
        Self { interval: (self.interval / factor.max(1)).max(INTERVAL_MIN), burst }
    }

    /// After this pause the whole burst passes again.
    #[must_use]
    pub fn refill(self) -> Duration {
        self.interval * self.burst.get()
    }

    pub(crate) fn quota(self) -> Quota {
        let steps = self.interval.as_nanos() / STEP.as_nanos();
        let interval = STEP * u32::try_from(steps).unwrap_or(u32::MAX);
        // The interval is not zero, so the alternative is never used.
        Quota::with_period(interval).unwrap_or(Quota::per_second(self.burst)).allow_burst(self.burst)
    }
}

impl FromStr for Rate {
    /// The reason why it is invalid.
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
            _ => return Err("the period must be second, minute or hour"),
        };
        let rate = Self { interval: period / count.get(), burst: burst.map_or(Ok(count), number)? };
        if rate.interval < INTERVAL_MIN {
            return Err("at most 10000 a second");
        }
        if rate.interval.checked_mul(rate.burst.get()).is_none_or(|refill| refill > REFILL_MAX) {
            return Err("a burst must refill within a day");
        }
        Ok(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_rates_are_parsed() {
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
    fn ten_sign_ins_a_minute_are_allowed() {
        assert_eq!("10/minute".parse(), Ok(Rate::SIGN_IN));
    }

    #[test]
    fn invalid_rates_are_refused() {
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

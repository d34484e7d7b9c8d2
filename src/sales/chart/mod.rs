//! The history of a sale as charts: bars, and the same in words and as a table. The bars are drawn in units
//! of their own, and the page stretches them. All text is outside the drawing, so that it keeps its size.
//!
//! What was sold when does not belong here: see `sales::history`.

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime};

use crate::money::grouped;
use crate::sales::history::{FIRST_MINUTES, SalesHistory, minute_of, time_of};
use crate::venue_clock::VenueClock;

/// The fewest minutes that are shown. Otherwise a sale that has just begun would be a single broad bar.
const MINUTES_MIN: i64 = 30;
/// Minutes in a row of the table.
const MINUTES_IN_ROW: usize = 10;
/// The most bars by day, and by week. A longer sale is shown by month.
const BARS_MAX: usize = 92;
/// The width of a bar with the space after it.
const STEP: usize = 10;
/// The height of all bars.
const HEIGHT: f64 = 100.0;
/// The least height of a bar, so that even one ticket is visible.
const HEIGHT_MIN: f64 = 1.5;

/// What was sold in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// "Nov 25", "10:01 AM"
    pub label: String,
    pub tickets: i64,
}

/// A chart, with what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// "By day"
    pub title: &'static str,
    /// What a row of its table is: "Day".
    pub row_is: &'static str,
    /// What the chart shows, in words.
    pub words: String,
    pub bars: Vec<Bar>,
    /// The rows of the table.
    pub rows: Vec<Bar>,
}

impl Chart {
    /// The number at the top of the scale. Its half is whole too, except for one ticket.
    #[must_use]
    pub fn top(&self) -> i64 {
        let most = self.bars.iter().map(|bar| bar.tickets).max().unwrap_or_default().max(1);
        let mut unit: i64 = 1;
        loop {
            let tops = [1, 2, 4, 6, 8, 10].map(|it: i64| it.checked_mul(unit).unwrap_or(i64::MAX));
            match (tops.into_iter().find(|top| *top >= most), unit.checked_mul(10)) {
                (Some(top), _) => return top,
                (None, Some(larger)) => unit = larger,
                (None, None) => return i64::MAX,
            }
        }
    }

    /// The numbers of the scale, from the top.
    #[must_use]
    pub fn scale(&self) -> Vec<String> {
        let top = self.top();
        let numbers = if top == 1 { vec![1, 0] } else { vec![top, top / 2, 0] };
        numbers.into_iter().map(grouped).collect()
    }

    /// What stands under the first bar, the one in the middle, and the last.
    #[must_use]
    pub fn ticks(&self) -> Vec<&str> {
        let last = self.bars.len().saturating_sub(1);
        let mut at = vec![0, last / 2, last];
        at.dedup();
        at.into_iter().filter_map(|index| self.bars.get(index)).map(|bar| bar.label.as_str()).collect()
    }

    #[must_use]
    pub fn width(&self) -> usize {
        self.bars.len() * STEP
    }

    /// The bars, as the path of an SVG.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no venue has so many places")]
    pub fn path(&self) -> String {
        let top = self.top() as f64;
        let gap = if self.bars.len() > BARS_MAX { 0 } else { 2 };
        let mut path = String::new();
        for (index, bar) in self.bars.iter().enumerate().filter(|(_, bar)| bar.tickets > 0) {
            let height = (bar.tickets as f64 / top * HEIGHT).max(HEIGHT_MIN);
            path += &format!("M{} {HEIGHT}v-{height:.1}h{}V{HEIGHT}z", index * STEP, STEP - gap);
        }
        path
    }
}

/// The charts of a sale. `now`, and until when the concert lasts: UTC.
#[must_use]
pub fn charts(
    history: &SalesHistory,
    clock: VenueClock,
    now: NaiveDateTime,
    ends_at: NaiveDateTime,
) -> Vec<Chart> {
    let Some(begins) = history.begins else { return Vec::new() };
    let until = clock.local(&now.min(ends_at)).date_naive();
    let by_day = by_day(history, clock.local(&time_of(begins)).date_naive(), until);
    [by_day, Some(first_hours(history, begins, clock, now))].into_iter().flatten().collect()
}

/// The first hours by minute.
fn first_hours(history: &SalesHistory, begins: i64, clock: VenueClock, now: NaiveDateTime) -> Chart {
    let minutes = (minute_of(now) - begins + 1).clamp(MINUTES_MIN, FIRST_MINUTES);
    let sold = |minute: i64| {
        let found = history.minutes.binary_search_by_key(&minute, |it| it.0);
        found.ok().and_then(|index| history.minutes.get(index)).map_or(0, |it| it.1)
    };
    let label = |minute: i64| clock.hour_minute(&time_of(begins + minute));
    let bar = |minute: i64| Bar { label: label(minute), tickets: sold(minute) };
    let bars: Vec<Bar> = (0..minutes).map(bar).collect();
    let row = |bars: &[Bar]| Bar {
        label: match bars {
            [first, .., last] => format!("{} to {}", first.label, last.label),
            _ => bars.first().map(|bar| bar.label.clone()).unwrap_or_default(),
        },
        tickets: bars.iter().map(|bar| bar.tickets).sum(),
    };
    let rows = bars.chunks(MINUTES_IN_ROW).map(row).collect();
    let begun = clock.minute(&time_of(begins));
    let words = match busiest(&bars) {
        Some((_, most)) if most.tickets == total(&bars) && most.tickets == 1 => {
            format!("1 ticket since {begun}, at {}.", most.label)
        }
        Some((_, most)) => format!(
            "{} since {begun}. The busiest minute was {}, with {}.",
            tickets(total(&bars)),
            most.label,
            tickets(most.tickets)
        ),
        None => format!("No tickets since {begun}."),
    };
    let title = if minutes < FIRST_MINUTES { "By minute" } else { "The first three hours, by minute" };
    Chart { title, row_is: "Time", words, bars, rows }
}

/// Everything by day, or by week or month where it is long. `None`: all in one day.
fn by_day(history: &SalesHistory, begins: NaiveDate, until: NaiveDate) -> Option<Chart> {
    let first = history.days.first().map_or(begins, |(day, _)| begins.min(*day));
    let last = history.days.last().map_or(until, |(day, _)| until.max(*day));
    if last <= first {
        return None;
    }
    let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).collect();
    let weeks = days.len().div_ceil(7);
    let (title, row_is, group): (_, _, fn(NaiveDate) -> NaiveDate) = match () {
        () if days.len() <= BARS_MAX => ("By day", "Day", |day| day),
        () if weeks < BARS_MAX => ("By week", "Week of", |day| day.week(chrono::Weekday::Mon).first_day()),
        () => ("By month", "Month", |day| day.with_day(1).unwrap_or(day)),
    };
    let has_years = first.year() != last.year();
    let label = |day: NaiveDate| match (row_is, has_years) {
        ("Month", _) => day.format("%b %Y").to_string(),
        (_, true) => day.format("%b %-d, %Y").to_string(),
        (_, false) => day.format("%b %-d").to_string(),
    };
    let mut bars: Vec<(NaiveDate, Bar)> = Vec::new();
    for day in days {
        let starts = group(day);
        if bars.last().is_none_or(|(of, _)| *of != starts) {
            bars.push((starts, Bar { label: label(starts), tickets: 0 }));
        }
        let sold = history.days.binary_search_by_key(&day, |it| it.0).ok();
        let sold = sold.and_then(|index| history.days.get(index)).map_or(0, |it| it.1);
        if let Some((_, bar)) = bars.last_mut() {
            bar.tickets += sold;
        }
    }
    let bars: Vec<Bar> = bars.into_iter().map(|(_, bar)| bar).collect();
    let week_ago = last.checked_sub_days(Days::new(6)).unwrap_or(last);
    let of_week: i64 = history.days.iter().filter(|(day, _)| *day >= week_ago).map(|it| it.1).sum();
    let words = match busiest(&bars) {
        None => format!("No tickets since {}.", first.format("%b %-d, %Y")),
        Some((_, most)) => {
            let (since, sold) = (first.format("%b %-d, %Y"), tickets(total(&bars)));
            let unit =
                ["day", "week", "month"][["Day", "Week of", "Month"].iter().position(|it| *it == row_is)?];
            let most_sold = tickets(most.tickets);
            format!(
                "{sold} since {since}, {} in the last seven days. The busiest {unit}: {}, with {most_sold}.",
                grouped(of_week),
                most.label
            )
        }
    };
    Some(Chart { title, row_is, words, rows: bars.clone(), bars })
}

/// The first of the highest bars, if anything was sold.
fn busiest(bars: &[Bar]) -> Option<(usize, &Bar)> {
    bars.iter().enumerate().rev().max_by_key(|(_, bar)| bar.tickets).filter(|(_, bar)| bar.tickets > 0)
}

fn total(bars: &[Bar]) -> i64 {
    bars.iter().map(|bar| bar.tickets).sum()
}

fn tickets(count: i64) -> String {
    let noun = if count == 1 { "ticket" } else { "tickets" };
    format!("{} {noun}", grouped(count))
}

#[cfg(test)]
mod tests;

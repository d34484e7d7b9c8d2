//! What the charts of a sale show and say.

use chrono::NaiveDate;

use super::*;

const CHICAGO: VenueClock = VenueClock(chrono_tz::America::Chicago);

fn utc(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a time")
}

/// Tickets at times in UTC, in a sale that began with the first of them.
fn history(sold: &[(&str, i64)]) -> SalesHistory {
    let sold: Vec<(i64, i64)> = sold.iter().map(|(at, tickets)| (minute_of(utc(at)), *tickets)).collect();
    SalesHistory::new(sold.first().map(|it| it.0), &sold, CHICAGO)
}

fn shown(sold: &[(&str, i64)], now: &str) -> Vec<Chart> {
    charts(&history(sold), CHICAGO, utc(now), utc("2099-01-01 00:00"))
}

fn labels(bars: &[Bar]) -> Vec<(&str, i64)> {
    bars.iter().map(|bar| (bar.label.as_str(), bar.tickets)).collect()
}

#[test]
fn a_sale_that_has_just_begun_is_shown_by_minute() {
    let charts = shown(&[("2026-11-28 16:00", 2), ("2026-11-28 16:04", 6)], "2026-11-28 16:10");
    let [chart] = charts.as_slice() else { panic!("{charts:?}") };
    assert_eq!((chart.title, chart.bars.len()), ("By minute", 30));
    assert_eq!(
        chart.words,
        "8 tickets since Nov 28, 2026, 10:00\u{a0}AM\u{a0}CST. The busiest minute was 10:04\u{a0}AM, with 6 tickets."
    );
    assert_eq!(chart.scale(), ["6", "3", "0"]);
    assert_eq!(chart.path(), "M0 100v-33.3h8V100zM40 100v-100.0h8V100z");
    assert_eq!(
        labels(&chart.rows),
        [
            ("10:00\u{a0}AM to 10:09\u{a0}AM", 8),
            ("10:10\u{a0}AM to 10:19\u{a0}AM", 0),
            ("10:20\u{a0}AM to 10:29\u{a0}AM", 0)
        ]
    );
}

#[test]
fn later_it_is_shown_by_day_of_the_venue() {
    // 5:30 UTC is after midnight in Chicago's summer, and before it when the clocks have gone back on November 1.
    let sold = [("2026-10-30 05:30", 3), ("2026-11-02 05:30", 1), ("2026-11-02 06:30", 4)];
    let charts = shown(&sold, "2026-11-03 12:00");
    let [by_day, first] = charts.as_slice() else { panic!("{charts:?}") };
    assert_eq!(by_day.title, "By day");
    assert_eq!(
        labels(&by_day.bars),
        [("Oct 30", 3), ("Oct 31", 0), ("Nov 1", 1), ("Nov 2", 4), ("Nov 3", 0)]
    );
    assert_eq!(
        by_day.words,
        "8 tickets since Oct 30, 2026, 8 in the last seven days. The busiest day: Nov 2, with 4 tickets."
    );
    assert_eq!((first.title, first.bars.len()), ("The first three hours, by minute", 180));
    assert_eq!(by_day.ticks(), ["Oct 30", "Nov 1", "Nov 3"]);
}

#[test]
fn a_long_sale_is_shown_by_week_or_month() {
    let titles = |now: &str| {
        let charts = shown(&[("2026-01-01 18:00", 5), ("2026-01-31 18:00", 1)], now);
        (charts[0].title, charts[0].bars.len(), charts[0].bars[0].clone())
    };
    let bar = |label: &str, tickets| Bar { label: label.into(), tickets };
    assert_eq!(titles("2026-04-02 18:00"), ("By day", 92, bar("Jan 1", 5)));
    assert_eq!(titles("2026-04-03 18:00"), ("By week", 14, bar("Dec 29", 5)));
    assert_eq!(titles("2029-01-01 18:00"), ("By month", 37, bar("Jan 2026", 6)));
}

#[test]
fn nothing_sold_is_no_chart_and_the_concerts_end_is_the_last_day() {
    assert_eq!(
        charts(&SalesHistory::default(), CHICAGO, utc("2026-11-28 16:00"), utc("2027-01-01 00:00")),
        []
    );
    let history = history(&[("2026-11-01 18:00", 1)]);
    let over = charts(&history, CHICAGO, utc("2030-01-01 00:00"), utc("2026-11-05 18:00"));
    assert_eq!(over[0].bars.last().map(|bar| bar.label.as_str()), Some("Nov 5"));
    assert!(history.days == [(NaiveDate::from_ymd_opt(2026, 11, 1).expect("a day"), 1)]);
}

#[test]
fn the_scale_ends_at_a_round_number_with_a_round_half() {
    for (most, scale) in [(0, vec!["1", "0"]), (1, vec!["1", "0"]), (2, vec!["2", "1", "0"])] {
        assert_eq!(chart_of(most).scale(), scale, "{most}");
    }
    for (most, top) in [(3, 4), (7, 8), (9, 10), (11, 20), (612, 800), (1_001, 2_000), (i64::MAX, i64::MAX)] {
        assert_eq!(chart_of(most).top(), top, "{most}");
    }
}

fn chart_of(most: i64) -> Chart {
    let bars = vec![Bar { label: String::new(), tickets: most }];
    Chart { title: "", row_is: "", words: String::new(), rows: bars.clone(), bars }
}

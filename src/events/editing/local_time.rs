//! Times as an organizer types them, on the clock of the venue. When clocks are put forward, some times do
//! not exist; when they are put back, some exist twice. The organizer is asked about both.

use chrono::{
    DateTime, Datelike as _, MappedLocalTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _,
    Timelike as _,
};
use chrono_tz::{OffsetName as _, TZ_VARIANTS, Tz};

/// What a field of the type `datetime-local` holds.
const FIELD: &str = "%Y-%m-%dT%H:%M";
const FORMATS: [&str; 4] = [FIELD, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
/// Years that a concert can be in.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2199;
/// No clock was ever put forward by more.
const GAP_MAX: TimeDelta = TimeDelta::hours(25);

/// One of the two meanings of a local time that exists twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeChoice {
    /// What the form sends: `-05:00`.
    pub offset: String,
    /// "1:30 AM CDT (UTC-05:00)"
    pub words: String,
}

/// A time (UTC) as it stands in a field, on the clock of that zone.
#[must_use]
pub fn field(at: NaiveDateTime, zone: Tz) -> String {
    at.and_utc().with_timezone(&zone).format(FIELD).to_string()
}

/// The offset of a time (UTC) that exists twice on the clock of that zone; otherwise empty.
#[must_use]
pub fn offset_field(at: NaiveDateTime, zone: Tz) -> String {
    let local = at.and_utc().with_timezone(&zone);
    match zone.from_local_datetime(&local.naive_local()) {
        MappedLocalTime::Ambiguous(..) => local.format("%:z").to_string(),
        _ => String::new(),
    }
}

/// What to choose from when the typed time exists twice; otherwise nothing.
#[must_use]
pub fn choices(typed: &str, zone: Tz) -> Vec<TimeChoice> {
    let local = parse_local(typed.trim());
    match local.map(|local| zone.from_local_datetime(&local)) {
        Some(MappedLocalTime::Ambiguous(first, second)) => [first, second].map(choice).to_vec(),
        _ => Vec::new(),
    }
}

fn choice(at: DateTime<Tz>) -> TimeChoice {
    let name = at.offset().abbreviation().unwrap_or_default();
    let offset = at.format("%:z").to_string();
    let name = if name.starts_with(['+', '-']) { "" } else { name };
    let words = format!("{} {name} (UTC{offset})", at.format("%-I:%M\u{a0}%p"));
    TimeChoice { words: words.replace("  ", " "), offset }
}

/// Reads a time; an empty text is none. `offset` chooses one of two when the time exists twice. A time that
/// names its offset itself (RFC 3339) is taken as it is.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn read(typed: &str, offset: &str, zone: Tz) -> Result<Option<NaiveDateTime>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(typed) {
        return checked(at.naive_utc()).map(Some);
    }
    let local = parse_local(typed).ok_or("Enter a date and a time, like 2027-06-19T20:00.")?;
    checked(local)?;
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) => Ok(Some(at.naive_utc())),
        MappedLocalTime::Ambiguous(first, second) => {
            let wanted = |at: &DateTime<Tz>| at.format("%:z").to_string() == offset;
            let chosen = [first, second].into_iter().find(wanted);
            chosen.map(|at| Some(at.naive_utc())).ok_or_else(|| {
                format!(
                    "Clocks go back that night, so {} happens twice. Choose which one.",
                    local.format("%-I:%M\u{a0}%p")
                )
            })
        }
        MappedLocalTime::None => Err(skipped(local, zone)),
    }
}

fn skipped(local: NaiveDateTime, zone: Tz) -> String {
    let shown = local.format("%-I:%M\u{a0}%p");
    // Clocks jump over this time. The organizer probably meant the time that is later by the length of the
    // jump.
    let before = zone.from_local_datetime(&(local - GAP_MAX)).earliest();
    let after = zone.from_local_datetime(&(local + GAP_MAX)).earliest();
    let jump = before.zip(after).map(|(before, after)| {
        let (before, after) =
            (before.naive_local() - before.naive_utc(), after.naive_local() - after.naive_utc());
        after - before
    });
    match jump.map(|jump| local + jump) {
        Some(meant) if meant.date() == local.date() => format!(
            "{shown} doesn’t exist on {}: clocks go forward that night. Did you mean {}?",
            local.format("%B %-d, %Y"),
            meant.format("%-I:%M\u{a0}%p")
        ),
        _ => format!("{shown} doesn’t exist on {}: clocks skip it.", local.format("%B %-d, %Y")),
    }
}

fn parse_local(typed: &str) -> Option<NaiveDateTime> {
    FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(typed, format).ok())
}

/// A form shows no seconds, so it could not give back a time that has some.
fn checked(at: NaiveDateTime) -> Result<NaiveDateTime, String> {
    if !YEARS.contains(&at.year()) {
        return Err("Enter a year from 2000 to 2199.".to_owned());
    }
    if (at.second(), at.nanosecond()) != (0, 0) {
        return Err("Enter a time without seconds, like 20:00.".to_owned());
    }
    Ok(at)
}

/// Reads a time zone: a name of the IANA database, in any case, or the last part of such a name, if no other
/// zone has it.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn read_zone(typed: &str) -> Result<Tz, String> {
    if typed.is_empty() {
        return Err("Choose the venue’s time zone.".to_owned());
    }
    let name = typed.replace(' ', "_");
    if let Some(zone) = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&name)) {
        return Ok(*zone);
    }
    let of_city =
        |zone: &&Tz| zone.name().rsplit('/').next().is_some_and(|it| it.eq_ignore_ascii_case(&name));
    let mut cities = TZ_VARIANTS.iter().filter(of_city);
    match (cities.next(), cities.next()) {
        (Some(zone), None) => Ok(*zone),
        _ => Err("Choose a zone from the list, like America/Chicago.".to_owned()),
    }
}

/// The zones that a form offers: UTC, and names with a region, like `Europe/Berlin`. Left out are fixed offsets
/// (`Etc/`) and many old names, like `US/Central` and `Cuba`.
pub fn zones() -> impl Iterator<Item = &'static str> {
    let is_offered = |name: &&str| {
        *name == "UTC"
            || name.contains('/') && !["Etc/", "US/", "SystemV/"].iter().any(|it| name.starts_with(it))
    };
    TZ_VARIANTS.iter().map(|zone| zone.name()).filter(is_offered)
}

/// The same local time another day: keeps 8 PM at 8 PM when clocks change between the two.
#[must_use]
pub fn moved(at: NaiveDateTime, from: NaiveDateTime, to: NaiveDateTime, zone: Tz) -> NaiveDateTime {
    let local = |at: NaiveDateTime| at.and_utc().with_timezone(&zone).naive_local();
    let moved = local(to) + (local(at) - local(from));
    zone.from_local_datetime(&moved).earliest().map_or(at + (to - from), |at| at.naive_utc())
}

/// The date of a time (UTC) on the clock of that zone.
#[must_use]
pub fn date_of(at: NaiveDateTime, zone: Tz) -> NaiveDate {
    at.and_utc().with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHICAGO: Tz = Tz::America__Chicago;

    fn utc(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a time")
    }

    #[test]
    fn a_local_time_is_read_on_the_venues_clock() {
        assert_eq!(read("2027-06-19T20:00", "", CHICAGO), Ok(Some(utc("2027-06-20 01:00"))));
        assert_eq!(read("2027-12-19T20:00", "", CHICAGO), Ok(Some(utc("2027-12-20 02:00"))));
        assert_eq!(read("2027-06-19 20:00:00", "", CHICAGO), Ok(Some(utc("2027-06-20 01:00"))));
        assert_eq!(read("2027-06-20T01:00:00Z", "", CHICAGO), Ok(Some(utc("2027-06-20 01:00"))));
        assert_eq!(read("", "", CHICAGO), Ok(None));
        for seconds in ["2027-06-19T20:00:30", "2027-06-19 20:00:60", "2027-06-20T01:00:30Z"] {
            let fault = read(seconds, "", CHICAGO).expect_err(seconds);
            assert_eq!(fault, "Enter a time without seconds, like 20:00.", "{seconds}");
        }
        for wrong in ["tomorrow", "2027-06-31T20:00", "2027-06-19", "0001-01-01T00:00", "12027-01-01T00:00"] {
            read(wrong, "", CHICAGO).expect_err(wrong);
        }
        assert_eq!(field(utc("2027-06-20 01:00"), CHICAGO), "2027-06-19T20:00");
    }

    #[test]
    fn a_time_that_is_skipped_or_exists_twice_is_asked_about() {
        let skipped = read("2027-03-14T02:30", "", CHICAGO).expect_err("it does not exist");
        assert!(skipped.contains("2:30\u{a0}AM doesn’t exist on March 14, 2027"), "{skipped}");
        assert!(skipped.ends_with("Did you mean 3:30\u{a0}AM?"), "{skipped}");
        let twice = read("2027-11-07T01:30", "", CHICAGO).expect_err("it exists twice");
        assert!(twice.contains("happens twice"), "{twice}");
        let words: Vec<String> =
            choices("2027-11-07T01:30", CHICAGO).into_iter().map(|it| it.words).collect();
        assert_eq!(words, ["1:30\u{a0}AM CDT (UTC-05:00)", "1:30\u{a0}AM CST (UTC-06:00)"]);
        assert_eq!(choices("2027-11-07T03:30", CHICAGO), []);
        assert_eq!(read("2027-11-07T01:30", "-05:00", CHICAGO), Ok(Some(utc("2027-11-07 06:30"))));
        assert_eq!(read("2027-11-07T01:30", "-06:00", CHICAGO), Ok(Some(utc("2027-11-07 07:30"))));
        assert_eq!(offset_field(utc("2027-11-07 07:30"), CHICAGO), "-06:00");
        assert_eq!(offset_field(utc("2027-06-20 01:00"), CHICAGO), "");
        // A whole day, and half an hour.
        read("2011-12-30T12:00", "", Tz::Pacific__Apia).expect_err("Samoa skipped this day");
        let half =
            read("2027-10-03T02:15", "", Tz::Australia__Lord_Howe).expect_err("half an hour is skipped");
        assert!(half.ends_with("Did you mean 2:45\u{a0}AM?"), "{half}");
    }

    #[test]
    fn a_zone_is_found_by_its_name_or_its_city() {
        for (typed, zone) in [
            ("America/Chicago", CHICAGO),
            ("america/chicago", CHICAGO),
            ("Chicago", CHICAGO),
            ("new york", Tz::America__New_York),
            ("UTC", Tz::UTC),
        ] {
            assert_eq!(read_zone(typed), Ok(zone), "{typed}");
        }
        for wrong in ["", "Atlantis", "Indiana", "+02:00"] {
            read_zone(wrong).expect_err(wrong);
        }
        assert!(zones().any(|it| it == "Europe/Berlin") && zones().count() > 400);
    }

    #[test]
    fn a_copy_keeps_its_hours_over_a_change_of_clocks() {
        let (from, to) = (utc("2027-10-30 01:00"), utc("2027-11-13 02:00"));
        assert_eq!(moved(utc("2027-10-30 00:00"), from, to, CHICAGO), utc("2027-11-13 01:00"));
    }
}

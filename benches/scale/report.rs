//! Prints the tables, checks the limits, and writes the results to a file.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::bench::Result;
use testkit::bench::results;

use crate::pages::PageTime;
use crate::work::{Disturbance, Export};

/// The limits of a page that one visitor reads.
const P95_MS_MAX: f64 = 50.0;
const BYTES_MAX: usize = 60_000;
/// The median for a page with many bookings may be this many times the median with few bookings.
const RATIO_MAX: f64 = 2.0;
/// Two medians that differ by no more than this count as equal.
const NOISE_MS: f64 = 2.0;
const ROWS_PER_SECOND_MIN: f64 = 50_000.0;
const EXPORT_MIB_MAX: f64 = 30.0;
/// The 95th percentile of bookings while an organizer's pages poll may be this many times the one without polls.
const DISTURBANCE_MAX: f64 = 1.2;
/// The limit of length does not apply to these: lists for machines are as long as their content, and the API
/// reference is as long as the API.
const NO_PAGES: [&str; 3] = ["/sitemap.xml", "/api/v1/events", "/api/docs"];

/// The results for one database.
pub struct Measured {
    pub bookings: u32,
    pub fill_seconds: f64,
    pub verify_seconds: f64,
    pub backup_seconds: f64,
    pub pages: Vec<PageTime>,
    pub export: Export,
    pub disturbance: Disturbance,
}

#[derive(Default)]
pub struct Report {
    kinds: Vec<(&'static str, Measured, Measured)>,
}

/// The faults of a page. Empty if there are none.
fn judge(few: &PageTime, many: &PageTime) -> String {
    let is_page = !NO_PAGES.contains(&many.path.as_str());
    let wrong = [
        (many.p95_ms > P95_MS_MAX, "SLOW"),
        (is_page && many.bytes > BYTES_MAX, "LONG"),
        (many.p50_ms > few.p50_ms * RATIO_MAX && many.p50_ms > few.p50_ms + NOISE_MS, "GROWS"),
    ];
    wrong.iter().filter(|it| it.0).map(|it| it.1).collect::<Vec<_>>().join(" ")
}

impl Report {
    pub fn add(&mut self, kind: &'static str, few: Measured, many: Measured) {
        self.kinds.push((kind, few, many));
    }

    pub fn is_well(&self) -> bool {
        self.kinds.iter().all(|(_, few, many)| {
            few.pages.iter().zip(&many.pages).all(|(few, many)| judge(few, many).is_empty())
                && many.export.rows_per_second >= ROWS_PER_SECOND_MIN
                && many.export.more_mib < EXPORT_MIB_MAX
                && many.disturbance.ratio <= DISTURBANCE_MAX
                && many.disturbance.errors == 0
        })
    }

    pub fn print_last(&self) {
        let Some((kind, few, many)) = self.kinds.last() else { return };
        println!("\n{kind}: {} and {} bookings", few.bookings, many.bookings);
        println!(
            "{:48} {:>9} {:>9} {:>9} {:>9} {:>8}",
            "page", "few p50", "p50 ms", "p95 ms", "first", "bytes"
        );
        for (few, many) in few.pages.iter().zip(&many.pages) {
            println!(
                "{:48} {:>9.2} {:>9.2} {:>9.2} {:>9.1} {:>8} {}",
                many.path,
                few.p50_ms,
                many.p50_ms,
                many.p95_ms,
                many.first_ms,
                many.bytes,
                judge(few, many)
            );
        }
        for it in [few, many] {
            let Measured {
                bookings, fill_seconds, verify_seconds, backup_seconds, export, disturbance, ..
            } = it;
            println!(
                "{bookings} bookings: filled in {fill_seconds:.1} s, verify {verify_seconds:.1} s, backup \
                 {backup_seconds:.1} s; export of {} rows: {:.0} rows/s, {:.1} MiB more",
                export.rows, export.rows_per_second, export.more_mib
            );
            let Disturbance { alone_ms, polled_ms, ratio, errors } = disturbance;
            println!(
                "  bookings' p95 {alone_ms:.2} ms, while pages poll {polled_ms:.2} ms: {ratio:.2} times; \
                 {errors} errors"
            );
        }
    }

    /// Writes `scale.json` to the build folder: `target`, or the folder that replaces it.
    pub fn write(&self) -> Result<PathBuf> {
        let measured = |it: &Measured| {
            let page = |page: &PageTime| {
                json!({ "path": page.path, "first_ms": page.first_ms, "p50_ms": page.p50_ms,
                        "p95_ms": page.p95_ms, "bytes": page.bytes })
            };
            json!({
                "bookings": it.bookings, "fill_s": it.fill_seconds, "verify_s": it.verify_seconds,
                "backup_s": it.backup_seconds, "export_rows_per_s": it.export.rows_per_second,
                "export_mib": it.export.more_mib, "bookings_alone_p95_ms": it.disturbance.alone_ms,
                "bookings_polled_p95_ms": it.disturbance.polled_ms, "bookings_ratio": it.disturbance.ratio,
                "pages": it.pages.iter().map(page).collect::<Vec<Value>>(),
            })
        };
        let kind = |it: &(&str, Measured, Measured)| {
            let (kind, few, many) = (it.0, measured(&it.1), measured(&it.2));
            json!({ "database": kind, "few": few, "many": many })
        };
        results::write("scale.json", &json!(self.kinds.iter().map(kind).collect::<Vec<_>>()))
    }
}

//! The words on a poster: the date on the moon, the name, when and where.

use super::Poster;
use super::canvas::{Canvas, Color, rgb};
use super::lettering::{Block, Style, drawable, fitted};
use super::stage::{MOON, MOON_TILT, NIGHT, stage};
use crate::events::palette::{self, PALETTES};

const INK: Color = rgb(0xfdf7ff);
const SOFT: Color = rgb(0xd3c5ee);
/// "Canceled", on every palette.
const CORAL: Color = rgb(0xff6a4d);

/// From the picture's left side.
const MARGIN: f32 = 64.0;
/// Where the words end, above the crowd.
const WORDS_END: f32 = 506.0;
/// Beside the moon.
const NAME_WIDTH: f32 = 730.0;
const NAME_SIZES: [f32; 11] = [148.0, 132.0, 118.0, 104.0, 92.0, 82.0, 72.0, 64.0, 56.0, 48.0, 42.0];
const NAME_LEADING: f32 = 0.9;
/// Where the name may begin.
const NAME_START: f32 = 112.0;
const FACT_SIZES: [f32; 4] = [36.0, 32.0, 28.0, 25.0];
const FACT_LEADING: f32 = 1.32;

/// The poster as a PNG.
#[must_use]
pub fn draw(poster: &Poster) -> Vec<u8> {
    let mut canvas = stage(palette::index_of(&poster.name), poster.is_canceled);
    write_date(&mut canvas, poster);
    write_facts(&mut canvas, poster);
    canvas.encode()
}

fn write_date(canvas: &mut Canvas, poster: &Poster) {
    let month = Style { size: 58.0, tracking: 0.02 };
    let day = Style { size: 178.0, tracking: -0.05 };
    let (sin, cos) = MOON_TILT.sin_cos();
    for (style, text, y) in [(month, &poster.month, -50.0), (day, &poster.day, 92.0)] {
        let x = -style.width(text) / 2.0;
        let start = (MOON.0 + x * cos - y * sin, MOON.1 + x * sin + y * cos);
        canvas.write(style, text, start, MOON_TILT, NIGHT);
    }
}

fn write_facts(canvas: &mut Canvas, poster: &Poster) {
    let palette = &PALETTES[palette::index_of(&poster.name)];
    let brand = Style { size: 30.0, tracking: -0.02 };
    canvas.write(brand, "TechKraft Tickets", (MARGIN, 76.0), 0.0, rgb(palette.gold));
    let name = drawable(&poster.name);
    let when = format!("{} · {}", poster.date, poster.time);
    let place = [&poster.venue, &poster.city].into_iter().filter_map(|it| drawable(it));
    let place = place.collect::<Vec<_>>().join(", ");
    let canceled = poster.is_canceled.then(|| ("Canceled".to_owned(), CORAL));
    let facts: Vec<(String, Color)> = canceled
        .into_iter()
        .chain([(when, INK), (place, SOFT)])
        .filter(|(fact, _)| !fact.is_empty())
        .collect();
    let mut baseline = WORDS_END;
    for (fact, color) in facts.iter().rev() {
        let Block { style, lines } = fitted(fact, &FACT_SIZES, -0.01, FACT_LEADING, (NAME_WIDTH, 0.0));
        for line in lines.iter().rev() {
            canvas.write(style, line, (MARGIN, baseline), 0.0, *color);
            baseline -= style.size * FACT_LEADING;
        }
    }
    // Without a name that the font can spell, the date is the headline; the link's title says the name.
    let name = name.unwrap_or_else(|| poster.date.clone());
    let space = (NAME_WIDTH, baseline - NAME_START);
    let Block { style, lines } = fitted(&name, &NAME_SIZES, -0.045, NAME_LEADING, space);
    baseline -= style.size * 0.12;
    for line in lines.iter().rev() {
        let (dx, dy) = (style.size * 0.045, style.size * 0.04);
        canvas.write(style, line, (MARGIN + dx, baseline + dy), 0.0, rgb(palette.name_shadow));
        canvas.write(style, line, (MARGIN, baseline), 0.0, INK);
        baseline -= style.size * NAME_LEADING;
    }
}

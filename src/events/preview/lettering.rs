//! Lettering in the site's font, as the outlines of its glyphs filled with paint. The font covers Latin with
//! its extensions and Vietnamese; a text with a letter that it lacks is not drawn at all ([`drawable`]).

use std::sync::LazyLock;

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

const FONT: &[u8] =
    include_bytes!("../../../static/vendor/bricolage-grotesque/bricolage-grotesque-poster.ttf");

static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(FONT, 0).ok());

const ELLIPSIS: char = '…';

/// The text as the font can draw it: composed, without signs that it lacks, such as emoji. `None` if it lacks a letter
/// or a mark, because a name without some of its letters is another name.
#[must_use]
pub fn drawable(text: &str) -> Option<String> {
    let face = FACE.as_ref()?;
    let is_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_letter = GeneralCategoryGroup::Letter.union(GeneralCategoryGroup::Number);
    let mut drawn = String::new();
    for letter in ComposingNormalizerBorrowed::new_nfc().normalize(text).chars() {
        let category = categories.get(letter);
        let has_glyph = face.glyph_index(letter).is_some();
        if letter.is_whitespace() {
            drawn.push(' ');
        } else if is_ignorable.contains(letter) {
            // It has no shape.
        } else if GeneralCategoryGroup::Mark.contains(category) || !has_glyph && is_letter.contains(category)
        {
            // A mark that does not compose with its letter would stand beside it.
            return None;
        } else if has_glyph {
            drawn.push(letter);
        }
    }
    let drawn = drawn.split_whitespace().collect::<Vec<_>>().join(" ");
    (!drawn.is_empty()).then_some(drawn)
}

/// Letters of one size.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The size of the em, in pixels.
    pub size: f32,
    /// Added between letters, in ems.
    pub tracking: f32,
}

/// Lines of one style that fit.
pub struct Block {
    pub style: Style,
    pub lines: Vec<String>,
}

impl Style {
    /// How wide a text is, in pixels.
    #[must_use]
    pub fn width(self, text: &str) -> f32 {
        self.glyphs(text)
            .last()
            .map_or(0.0, |(glyph, x)| x + self.advance(*glyph) - self.tracking * self.size)
    }

    /// The glyphs of a text, and where each begins.
    fn glyphs(self, text: &str) -> Vec<(GlyphId, f32)> {
        let Some(face) = FACE.as_ref() else { return Vec::new() };
        let mut x = 0.0;
        let mut placed: Vec<(GlyphId, f32)> = Vec::new();
        for glyph in text.chars().filter_map(|letter| face.glyph_index(letter)) {
            if let Some((before, _)) = placed.last() {
                x += self.advance(*before) + kerning(face, *before, glyph) * self.scale(face);
            }
            placed.push((glyph, x));
        }
        placed
    }

    fn advance(self, glyph: GlyphId) -> f32 {
        let Some(face) = FACE.as_ref() else { return 0.0 };
        f32::from(face.glyph_hor_advance(glyph).unwrap_or_default()) * self.scale(face)
            + self.tracking * self.size
    }

    fn scale(self, face: &Face) -> f32 {
        self.size / f32::from(face.units_per_em())
    }

    /// The text on one line of that width, shortened if it has to be.
    #[must_use]
    pub fn shortened(self, text: &str, width: f32) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let room = width - self.width(&ELLIPSIS.to_string());
        let fits = |(glyph, x): &(GlyphId, f32)| x + self.advance(*glyph) <= room;
        let count = self.glyphs(text).iter().take_while(|placed| fits(placed)).count();
        let kept: String = text.chars().take(count).collect();
        format!("{}{ELLIPSIS}", kept.trim_end())
    }

    /// The text in lines of that width; a word that is wider has a line of its own.
    fn wrapped(self, text: &str, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split(' ') {
            match lines.last_mut() {
                Some(line) if self.width(&format!("{line} {word}")) <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }

    /// Adds the text's outlines to the rasterizer. Its baseline begins at `at`, and is rotated about it by an angle.
    pub fn trace(self, rasterizer: &mut Rasterizer, text: &str, at: Point, radians: f32) {
        let Some(face) = FACE.as_ref() else { return };
        let (sin, cos) = radians.sin_cos();
        for (glyph, x) in self.glyphs(text) {
            let scale = self.scale(face);
            let mut pen = Pen { rasterizer, at, sin, cos, x, scale, start: at, last: at };
            face.outline_glyph(glyph, &mut pen);
        }
    }
}

/// The text in the largest of the sizes in which its lines fit a box. If none fits, it is shortened in the smallest
/// one.
#[must_use]
pub fn fitted(text: &str, sizes: &[f32], tracking: f32, leading: f32, (width, height): (f32, f32)) -> Block {
    let most = |style: Style| ((height / (style.size * leading)) as usize).max(1);
    let mut style = Style { size: 1.0, tracking };
    for size in sizes {
        style = Style { size: *size, tracking };
        let lines = style.wrapped(text, width);
        if lines.len() <= most(style) && lines.iter().all(|line| style.width(line) <= width) {
            return Block { style, lines };
        }
    }
    let lines = style.wrapped(text, width);
    let (shown, rest) = lines.split_at(most(style).min(lines.len()));
    let mut shown: Vec<String> = shown.iter().map(|line| style.shortened(line, width)).collect();
    if let (false, Some(last)) = (rest.is_empty(), shown.last_mut()) {
        *last = style.shortened(&format!("{last} {}", rest.join(" ")), width);
    }
    Block { style, lines: shown }
}

fn kerning(face: &Face, left: GlyphId, right: GlyphId) -> f32 {
    let tables = face.tables().kern.into_iter().flat_map(|kern| kern.subtables);
    let found = tables.filter(|table| table.horizontal).find_map(|table| table.glyphs_kerning(left, right));
    f32::from(found.unwrap_or_default())
}

/// Draws one glyph: font units upward become pixels downward.
struct Pen<'a> {
    rasterizer: &'a mut Rasterizer,
    at: Point,
    sin: f32,
    cos: f32,
    /// Where the glyph begins on its line, in pixels.
    x: f32,
    scale: f32,
    start: Point,
    last: Point,
}

impl Pen<'_> {
    fn place(&self, x: f32, y: f32) -> Point {
        let (x, y) = (self.x + x * self.scale, -y * self.scale);
        point(self.at.x + x * self.cos - y * self.sin, self.at.y + x * self.sin + y * self.cos)
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.start = self.place(x, y);
        self.last = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.rasterizer.draw_line(self.last, to);
        self.last = to;
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let to = self.place(x, y);
        self.rasterizer.draw_quad(self.last, self.place(x1, y1), to);
        self.last = to;
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let to = self.place(x, y);
        self.rasterizer.draw_cubic(self.last, self.place(x1, y1), self.place(x2, y2), to);
        self.last = to;
    }

    fn close(&mut self) {
        self.rasterizer.draw_line(self.last, self.start);
        self.last = self.start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_drawn_whole_or_not_at_all() {
        for (text, drawn) in [
            ("Midnight  Parade", Some("Midnight Parade")),
            ("Zoe\u{308} & Björk", Some("Zoë & Björk")),
            ("Żółć, Čech, Ğüneş, Nguyễn", Some("Żółć, Čech, Ğüneş, Nguyễn")),
            ("Party 🎉 Night ❤\u{fe0f}", Some("Party Night")),
            ("Live\u{200b}2027", Some("Live2027")),
            ("東京 Night", None),
            ("Мир", None),
            ("موسيقى", None),
            ("Spın\u{308}al Tap", None),
            ("🎉", None),
            ("", None),
        ] {
            assert_eq!(drawable(text).as_deref(), drawn, "{text}");
        }
    }

    #[test]
    fn any_name_fits_its_box() {
        let sizes = [120.0, 80.0, 40.0];
        let space = (700.0, 300.0);
        for text in [
            "X".to_owned(),
            "Midnight Parade".to_owned(),
            "The Night of the Unpronounceable Schottische, Part 7".to_owned(),
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".to_owned(),
            "word ".repeat(200).trim_end().to_owned(),
            "W".repeat(500),
        ] {
            let block = fitted(&text, &sizes, -0.03, 0.95, space);
            assert!(!block.lines.is_empty() && sizes.contains(&block.style.size), "{text}");
            assert!(block.lines.len() as f32 * block.style.size * 0.95 <= space.1, "{text}");
            for line in &block.lines {
                assert!(block.style.width(line) <= space.0, "{line}");
            }
            let shown = block.lines.join(" ");
            assert!(shown == text || shown.ends_with(ELLIPSIS), "{shown}");
        }
        let short = fitted("Midnight Parade", &sizes, -0.03, 0.95, space);
        assert_eq!((short.style.size, short.lines.len()), (120.0, 2));
    }

    #[test]
    fn letters_are_kerned() {
        let style = Style { size: 100.0, tracking: 0.0 };
        assert!(style.width("AV") < style.width("A") + style.width("V") - 1.0);
    }
}

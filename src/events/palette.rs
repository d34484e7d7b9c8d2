//! The colors of a concert's poster: one of a few palettes, picked by its name. The page takes them from
//! `palettes.css`, the picture for other sites from here; a test compares the two.

use sha2::{Digest as _, Sha256};

use super::Event;

/// Colors as CSS writes them.
#[derive(Debug, PartialEq, Eq)]
pub struct Palette {
    /// Its class is `palette--` and this.
    pub name: &'static str,
    /// Gold, coral and magenta are the colors of the moon, from its upper edge to its lower one. Gold and
    /// magenta are also the first two lights.
    pub gold: u32,
    pub coral: u32,
    pub magenta: u32,
    /// The third light.
    pub teal: u32,
    pub beam: u32,
    pub beam_low: u32,
    pub name_shadow: u32,
}

/// Adding a palette changes the palettes of existing concerts: add none without need.
pub static PALETTES: [Palette; 5] = [
    Palette {
        name: "lagoon",
        gold: 0x8fe8c8,
        coral: 0x3fd0e0,
        magenta: 0x4c8dff,
        teal: 0xa98bff,
        beam: 0x0a3158,
        beam_low: 0x081c3a,
        name_shadow: 0x0a6f8f,
    },
    Palette {
        name: "electric",
        gold: 0xffc233,
        coral: 0xff6a4d,
        magenta: 0xff3d8b,
        teal: 0x2ed3d0,
        beam: 0x3b1a8f,
        beam_low: 0x1b0c45,
        name_shadow: 0xc4125c,
    },
    Palette {
        name: "ember",
        gold: 0xffd166,
        coral: 0xff9142,
        magenta: 0xff5f4f,
        teal: 0xff8fb0,
        beam: 0x6b1826,
        beam_low: 0x310a20,
        name_shadow: 0xb3261e,
    },
    Palette {
        name: "aurora",
        gold: 0xd9ee7a,
        coral: 0x6fd062,
        magenta: 0x20b58c,
        teal: 0x4fb0ff,
        beam: 0x07382f,
        beam_low: 0x071f28,
        name_shadow: 0x0a6b52,
    },
    Palette {
        name: "orchid",
        gold: 0xffc9e6,
        coral: 0xff94cf,
        magenta: 0xb98bff,
        teal: 0x7fc8ff,
        beam: 0x521568,
        beam_low: 0x240b40,
        name_shadow: 0x9b1f86,
    },
];

/// The index in [`PALETTES`] of the palette of a concert with that name.
#[must_use]
pub fn index_of(name: &str) -> usize {
    usize::from(Sha256::digest(name)[0]) % PALETTES.len()
}

impl Event {
    /// The palette of its poster.
    #[must_use]
    pub fn palette(&self) -> &'static Palette {
        &PALETTES[index_of(&self.name)]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const CSS: &str = include_str!("../../static/css/palettes.css");
    const NIGHT: u32 = 0x12082b;
    const NIGHT_INK: u32 = 0xfdf7ff;

    fn channels(color: u32) -> [f64; 3] {
        [16, 8, 0].map(|shift| f64::from(color >> shift & 0xff) / 255.0)
    }

    /// WCAG 2.2's contrast ratio.
    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let light = |color: [f64; 3]| {
            let [red, green, blue] =
                color.map(|it| if it <= 0.04045 { it / 12.92 } else { ((it + 0.055) / 1.055).powf(2.4) });
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (one, other) = (light(one), light(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn the_page_has_the_same_colors() {
        for palette in &PALETTES {
            let rest = CSS.split_once(&format!(".palette--{} {{", palette.name)).expect(palette.name).1;
            let rule = rest.split('}').next().expect("an end");
            for (property, color) in [
                ("gold", palette.gold),
                ("coral", palette.coral),
                ("magenta", palette.magenta),
                ("teal", palette.teal),
                ("beam", palette.beam),
                ("beam-low", palette.beam_low),
                ("name-shadow", palette.name_shadow),
            ] {
                let line = format!("--{property}: #{color:06x};");
                assert!(rule.contains(&line), "{}: {line}", palette.name);
            }
        }
        assert_eq!(CSS.matches(".palette--").count(), PALETTES.len());
    }

    #[test]
    fn words_on_every_palette_are_legible() {
        for palette in &PALETTES {
            for moon in [palette.gold, palette.coral, palette.magenta] {
                assert!(contrast(channels(NIGHT), channels(moon)) >= 4.5, "{}: {moon:06x}", palette.name);
            }
            // The brightest background: a beam with the light of a spotlight added to it.
            for (light, strength) in [(palette.gold, 0.36), (palette.magenta, 0.44), (palette.teal, 0.3)] {
                let (beam, light) = (channels(palette.beam), channels(light));
                let lit = [0, 1, 2].map(|it| 1.0 - (1.0 - beam[it]) * (1.0 - strength * light[it]));
                assert!(contrast(channels(NIGHT_INK), lit) >= 4.5, "{}: {light:?}", palette.name);
            }
            assert!(contrast(channels(palette.gold), channels(palette.beam)) >= 4.5, "{}", palette.name);
        }
    }

    #[test]
    fn a_name_keeps_its_palette_and_names_have_different_ones() {
        assert_eq!(PALETTES[index_of("Midnight Parade")].name, "electric");
        let found: HashSet<usize> = (0..100).map(|number| index_of(&format!("Night {number}"))).collect();
        assert_eq!(found.len(), PALETTES.len());
    }
}

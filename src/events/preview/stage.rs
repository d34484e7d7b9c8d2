//! What all posters have: the colors and shapes of the page's `hero.css`, pixel by pixel. Drawn once for each palette,
//! lit and dark.

use std::f32::consts::TAU;
use std::sync::OnceLock;

use super::canvas::{Canvas, Color, HEIGHT, WIDTH, mix, rgb};
use crate::events::palette::{PALETTES, Palette};

pub const NIGHT: Color = rgb(0x12082b);
const CROWD: Color = rgb(0x0a0418);
/// The moon of a concert that does not take place: nothing glows.
const ECLIPSE: [Color; 2] = [rgb(0x8a7d9b), rgb(0x574a6d)];

pub const MOON: (f32, f32) = (986.0, 222.0);
pub const MOON_TILT: f32 = -6.0 / 360.0 * TAU;
const MOON_RADIUS: f32 = 160.0;

/// By palette, lit and dark.
static DRAWN: [[OnceLock<Canvas>; 2]; PALETTES.len()] =
    [const { [const { OnceLock::new() }; 2] }; PALETTES.len()];

/// The colors of a palette.
struct Lights {
    gold: Color,
    coral: Color,
    magenta: Color,
    teal: Color,
    beams: [Color; 2],
}

impl Lights {
    const fn of(palette: &Palette) -> Self {
        Self {
            gold: rgb(palette.gold),
            coral: rgb(palette.coral),
            magenta: rgb(palette.magenta),
            teal: rgb(palette.teal),
            beams: [rgb(palette.beam), rgb(palette.beam_low)],
        }
    }
}

/// A poster without its words, in a palette of [`PALETTES`]; dark for a concert that does not take place.
pub fn stage(palette: usize, is_dark: bool) -> Canvas {
    let palette = palette % PALETTES.len();
    DRAWN[palette][usize::from(is_dark)]
        .get_or_init(|| draw(&Lights::of(&PALETTES[palette]), is_dark))
        .clone()
}

fn draw(lights: &Lights, is_dark: bool) -> Canvas {
    let mut canvas = Canvas::of(NIGHT);
    paint_sky(&mut canvas, lights, is_dark);
    paint_moon(&mut canvas, lights, is_dark);
    paint_crowd(&mut canvas);
    canvas
}

/// Beams of light from the moon, a glow from both lower corners, and the rig's spotlights.
fn paint_sky(canvas: &mut Canvas, lights: &Lights, is_dark: bool) {
    let (width, height) = (WIDTH as f32, HEIGHT as f32);
    let farthest = (MOON.0.max(width - MOON.0)).hypot(MOON.1.max(height - MOON.1));
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
            let (dx, dy) = (px - MOON.0, py - MOON.1);
            let distance = dx.hypot(dy);
            let mut color = beam(lights, dx, dy, distance);
            if !is_dark {
                let from_left = (px / (1.2 * width)).hypot((height - py) / (0.9 * height));
                let from_right = ((width - px) / (0.9 * width)).hypot((height - py) / height);
                color = mix(color, lights.teal, 0.25 * (1.0 - from_right / 0.55).max(0.0));
                color = mix(color, lights.magenta, 0.35 * (1.0 - from_left / 0.6).max(0.0));
            }
            let fade = ramp(distance / farthest, &[(0.18, 1.0), (0.45, 0.8), (0.8, 0.33)]);
            color = mix(NIGHT, color, fade);
            if !is_dark {
                color = spotlights(lights, color, px / width, py / height);
            }
            canvas.blend(x, y, color, 1.0);
        }
    }
}

fn paint_moon(canvas: &mut Canvas, lights: &Lights, is_dark: bool) {
    let ring = MOON_RADIUS * 1.09;
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (dx, dy) = (x as f32 + 0.5 - MOON.0, y as f32 + 0.5 - MOON.1);
            let distance = dx.hypot(dy);
            if !is_dark {
                let glow = (1.0 - (distance - MOON_RADIUS) / MOON_RADIUS).clamp(0.0, 1.0);
                canvas.blend(x, y, lights.coral, 0.42 * glow * glow);
                canvas.blend(x, y, lights.gold, 0.2 * (ring - distance + 0.5).clamp(0.0, 1.0));
            }
            let alpha = (MOON_RADIUS - distance + 0.5).clamp(0.0, 1.0);
            if alpha > 0.0 {
                canvas.blend(x, y, moon(lights, dx, dy, is_dark), alpha);
            }
        }
    }
}

/// Heads and raised arms along the lower edge.
fn paint_crowd(canvas: &mut Canvas) {
    for x in 0..WIDTH {
        let top = crowd_top(x as f32 + 0.5);
        for y in (top.floor().max(0.0) as usize)..HEIGHT {
            canvas.blend(x, y, CROWD, (y as f32 + 1.0 - top).clamp(0.0, 1.0));
        }
    }
}

/// Which of the beams a direction from the moon is in, with soft edges.
fn beam(lights: &Lights, dx: f32, dy: f32, distance: f32) -> Color {
    // As CSS counts: from the top, clockwise, beginning at 4 degrees, in pairs of 18.
    let degrees = (dx.atan2(-dy) / TAU * 360.0 - 4.0).rem_euclid(18.0);
    let pixels_per_degree = (distance * TAU / 360.0).max(0.01);
    let edge = (degrees - 9.0).abs().min(degrees.min(18.0 - degrees));
    let half = (0.5 - edge * pixels_per_degree).max(0.0);
    let [high, low] = lights.beams;
    let (own, other) = if degrees < 9.0 { (high, low) } else { (low, high) };
    mix(own, other, half)
}

fn moon(lights: &Lights, dx: f32, dy: f32, is_canceled: bool) -> Color {
    let (sin, cos) = MOON_TILT.sin_cos();
    let (dx, dy) = (dx * cos + dy * sin, dy * cos - dx * sin);
    // Along 160 degrees, from the upper edge to the lower.
    let along = 0.5 + (dx * 0.342 + dy * 0.94) / (MOON_RADIUS * 2.56);
    if is_canceled {
        return mix(ECLIPSE[0], ECLIPSE[1], along.clamp(0.0, 1.0));
    }
    let color = if along < 0.68 {
        mix(lights.gold, lights.coral, ((along - 0.22) / 0.46).clamp(0.0, 1.0))
    } else {
        mix(lights.coral, lights.magenta, ((along - 0.68) / 0.32).clamp(0.0, 1.0))
    };
    let from_light = (dx + 0.36 * MOON_RADIUS).hypot(dy + 0.48 * MOON_RADIUS) / (2.0 * MOON_RADIUS);
    mix(color, mix(rgb(0xffffff), lights.gold, 0.3), (1.0 - from_light / 0.42).max(0.0))
}

/// Three cones from above, added as light.
fn spotlights(lights: &Lights, color: Color, x: f32, y: f32) -> Color {
    let fade = ramp(y, &[(0.3, 1.0), (1.0, 0.2)]);
    let cones = [
        (lights.gold, 0.30, (0.16, -0.12), 158.0, (5.0, 13.0, 16.0)),
        (lights.magenta, 0.36, (0.58, -0.14), 196.0, (4.0, 12.0, 15.0)),
        (lights.teal, 0.26, (0.40, -0.18), 176.0, (5.0, 12.0, 16.0)),
    ];
    cones.into_iter().fold(color, |color, (light, strength, from, starts, (rises, falls, ends))| {
        let (dx, dy) = ((x - from.0) * WIDTH as f32, (y - from.1) * HEIGHT as f32);
        let degrees = (dx.atan2(-dy) / TAU * 360.0 - starts).rem_euclid(360.0);
        let profile = [(0.0, 0.0), (rises, 1.0), (falls, 0.62), (ends, 0.0)];
        let alpha = strength * fade * ramp(degrees, &profile);
        [0, 1, 2].map(|it| 255.0 - (255.0 - color[it]) * (1.0 - alpha * light[it] / 255.0))
    })
}

/// The highest point of the crowd at that place.
fn crowd_top(x: f32) -> f32 {
    // Rows of people: their distance, size and height, and who of them raises an arm.
    let rows = [(35.0, 0.6, 560.0, 5), (49.0, 0.86, 586.0, 4)];
    let mut top = HEIGHT as f32 - 6.0;
    for (row, (distance, scale, line, arms)) in rows.into_iter().enumerate() {
        let nearest = (x / distance).round() as i32;
        for number in nearest - 1..=nearest + 1 {
            // Nobody stands quite in line.
            let sway = ((number * 7 + row as i32 * 5).rem_euclid(11) as f32 - 5.0) * 0.9;
            let size = scale * (1.0 + sway * 0.018);
            let dx = (x - number as f32 * distance - sway) / size;
            let ground = line + sway;
            let head = if dx.abs() < 14.0 { -17.0 - 14.0 * (1.0 - (dx / 14.0).powi(2)).sqrt() } else { 90.0 };
            let shoulders = if dx.abs() < 33.0 { 5.0 + 30.0 * (dx / 33.0).powi(4) } else { 90.0 };
            let arm = if number.rem_euclid(arms) == 0 && (21.0..35.0).contains(&dx) {
                -40.0 + 7.0 * ((dx - 28.0) / 7.0).powi(4)
            } else {
                90.0
            };
            top = top.min(ground + size * head.min(shoulders).min(arm));
        }
    }
    top
}

/// The value at a place between points, as a gradient has it.
fn ramp(at: f32, points: &[(f32, f32)]) -> f32 {
    let Some(((first, start), (last, end))) = points.first().copied().zip(points.last().copied()) else {
        return 0.0;
    };
    if at <= first {
        return start;
    }
    let pair = points.windows(2).find(|pair| at < pair[1].0);
    pair.map_or(if at >= last { end } else { start }, |pair| {
        pair[0].1 + (pair[1].1 - pair[0].1) * (at - pair[0].0) / (pair[1].0 - pair[0].0)
    })
}

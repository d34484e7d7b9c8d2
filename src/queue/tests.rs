//! Unit tests of a room's phases, and a sample room for the tests of other modules.

use chrono::DateTime;

use super::draw::DrawSeed;
use super::*;

pub(crate) fn at(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time").naive_utc()
}

pub(crate) fn room() -> Room {
    let seed = DrawSeed::parse(&"0123456789abcdef".repeat(4)).expect("a seed");
    Room {
        event_id: 1,
        mode: RoomMode::Always,
        opens_minutes: 30,
        flow: Flow::Open,
        most_per_second: 50,
        message: String::new(),
        seed_hash: seed.hash(),
        seed: seed.as_str().to_owned(),
        opened_at: None,
        served: 0,
        per_second: 10,
        moved_at: None,
        served_earlier: 0,
        served_mark: 0,
        marked_at: None,
        refused_at: None,
        registration: false,
    }
}

/// The same room, drawn then and served that far.
pub(crate) fn drawn(opened_at: NaiveDateTime, served: Position) -> Room {
    Room { opened_at: Some(opened_at), served: served.number(), ..room() }
}

#[test]
fn a_room_opens_before_the_sale_and_is_drawn_at_it() {
    let sale = at(3600);
    let phase = |seconds| room().phase(Some(sale), at(seconds));
    assert_eq!(phase(1799), RoomPhase::Closed { opens_at: at(1800) });
    assert_eq!(phase(1800), RoomPhase::Lobby { draws_at: sale });
    assert_eq!(phase(3600), RoomPhase::Lobby { draws_at: sale }, "until a server has drawn it");
    let drawn = drawn(sale, Position::default());
    assert_eq!(drawn.phase(Some(sale), at(3601)), RoomPhase::Line { drawn_at: sale });
    assert_eq!(drawn.phase(Some(at(9999)), at(3601)), RoomPhase::Line { drawn_at: sale }, "drawn is drawn");
    assert_eq!(room().phase(None, at(0)), RoomPhase::Lobby { draws_at: at(0) });
    let registers = Room { registration: true, ..room() };
    let early = registers.phase(Some(sale), at(-99_999));
    assert_eq!(early, RoomPhase::Lobby { draws_at: sale }, "mails take their time");
}

#[test]
fn a_room_for_stress_is_none_until_there_is_stress() {
    let calm = Room { mode: RoomMode::UnderStress, ..room() };
    assert_eq!((calm.phase(None, at(0)), calm.needs_pass()), (RoomPhase::Idle, false));
    let stressed = Room { opened_at: Some(at(5)), ..calm };
    assert_eq!(
        (stressed.phase(None, at(6)), stressed.needs_pass()),
        (RoomPhase::Line { drawn_at: at(5) }, true)
    );
    let off = Room { mode: RoomMode::Off, ..stressed };
    assert_eq!((off.phase(None, at(6)), off.needs_pass()), (RoomPhase::Idle, false));
}

#[test]
fn the_seed_is_public_only_after_the_draw() {
    assert_eq!(room().public_seed(), None);
    let drawn = drawn(at(0), Position::default());
    let seed = drawn.public_seed().and_then(DrawSeed::parse).expect("the seed");
    assert_eq!(seed.hash(), room().seed_hash, "the one whose hash was shown before");
}

/// A server whose clock is two seconds behind, or that has not heard of the draw, gives no place of the lobby.
#[test]
fn nobody_joins_the_lobby_when_its_seed_may_be_public() {
    let sale = Some(at(3600));
    let arrives = |seconds| room().arrival(sale, at(seconds));
    assert_eq!([arrives(3500), arrives(3597)], [at(3500), at(3597)]);
    assert_eq!([arrives(3598), arrives(3600), arrives(3605)], [at(3600), at(3600), at(3605)]);
    assert_eq!(drawn(at(10), Position::default()).arrival(sale, at(8)), at(10), "a clock that is behind");
    assert_eq!(room().arrival(None, at(5)), at(5));
}

/// If the database is away at the start of the sale, visitors are counted in the second of their arrival.
#[test]
fn arrivals_before_a_late_draw_are_counted_where_they_will_stand() {
    let (undrawn, drawn) = (room(), drawn(at(0), Position::default()));
    for seconds in [-9, 0, 1, 50, 3600] {
        let counted = undrawn.slot_of(Some(at(0)), at(seconds));
        assert_eq!(counted, drawn.slot_of(Some(at(0)), at(seconds)), "{seconds}");
        assert_eq!(counted, (seconds + 1).max(0));
    }
    assert_eq!(undrawn.slot_of(None, at(5)), 0);
}

/// Before the draw the seed is a secret.
#[test]
fn a_rooms_debug_text_has_no_seed() {
    let text = format!("{:?}", room());
    assert!(text.contains("event 1") && !text.contains(&room().seed), "{text}");
}

#[test]
fn who_is_below_the_served_number_is_served() {
    let drawn = drawn(at(0), Position::new(0, 100));
    assert!(drawn.serves(Position::new(0, 99)) && !drawn.serves(Position::new(0, 100)));
    assert!(!room().serves(Position::default()), "nobody before the draw");
}

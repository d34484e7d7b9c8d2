//! Concerts as organizers really create them: long names, one ticket type or twelve, other currencies, other time
//! zones.

use super::Site;

/// The slug of each concert, and its values in SQL: name, venue, city, time zone, currency, state, and whether it is
/// paused.
const CONCERTS: [(&str, &str); 7] = [
    (
        "twelve",
        "'Twelve Nights of the Philharmonic Unterhaltungsorchester and Their Distinguished Friends',
         'Sheikh Jaber Al-Ahmad Cultural Center, National Theatre', 'Kuwait City', 'Asia/Kuwait', 'KWD', 'published', false",
    ),
    ("tokyo", "'Philharmonic', 'Budokan', 'Tokyo', 'Asia/Tokyo', 'JPY', 'published', false"),
    ("sao-paulo", "'Noite Livre', 'Parque Ibirapuera', 'São Paulo', 'America/Sao_Paulo', 'BRL', 'published', false"),
    ("colombo", "'Raga at Dawn', 'Nelum Pokuna', 'Colombo', 'Asia/Colombo', 'LKR', 'published', false"),
    ("gone", "'Gone in a Minute', 'Cellar', 'Vienna', 'Europe/Vienna', 'EUR', 'published', false"),
    ("paused", "'Hold On', 'Cellar', 'Vienna', 'Europe/Vienna', 'EUR', 'published', true"),
    ("canceled", "'Rained Off', 'Cellar', 'Vienna', 'Europe/Vienna', 'EUR', 'canceled', false"),
];

impl Site {
    /// Adds seven concerts to the seed's. All have every optional fact: doors, age, address, a text.
    pub fn add_odd_concerts(&self) {
        let mut statements: Vec<String> = CONCERTS.iter().map(concert).collect();
        let mut add = |slug: &str, name: &str, price_minor, capacity, available| {
            statements.push(ticket_type(slug, name, price_minor, capacity, available));
        };
        for number in 1..=12 {
            let name = match number {
                3 => "Donaudampfschifffahrtsgesellschaft Balcony, Unobstructed",
                7 => "Early Bird",
                number if number % 2 == 0 => "Seated, Rear Orchestra, Left",
                _ => "Standing",
            };
            add("twelve", &format!("{name} {number}"), 1_234_500 / number, 40, 40);
        }
        add("tokyo", "Arena", 12_000, 1_300, 1_299);
        add("tokyo", "Balcony", 8_000, 2_500, 9);
        add("sao-paulo", "Entrada", 0, 5_000, 5_000);
        for number in 1..=4 {
            add("colombo", &format!("Block {number}"), 250_000, 100, 30 / number);
        }
        for slug in ["gone", "paused", "canceled"] {
            add(slug, "Floor", 3_500, 100, i64::from(slug != "gone") * 60);
            add(slug, "Stairs", 3_500, 100, 0);
        }
        self.run_sql(&statements.join(";\n"));
    }
}

fn concert((slug, facts): &(&str, &str)) -> String {
    format!(
        "INSERT INTO events (slug, name, venue, city, time_zone, currency, state, paused, tagline, description,
                             address, doors_at, starts_at, ends_at, age_limit)
         VALUES ('{slug}', {facts}, 'A night to remember.',
                 'First part: the quartet.\n\nSecond part: everybody.', '1 Long Embankment Road, Building 7',
                 '2028-02-01 12:00:00', '2028-02-01 13:00:00', '2028-02-01 16:30:00', 18)"
    )
}

/// SQL that adds a ticket type after the concert's existing ones.
fn ticket_type(slug: &str, name: &str, price_minor: i64, capacity: i64, available: i64) -> String {
    format!(
        "INSERT INTO ticket_types (event_id, name, description, price_minor, capacity, available, max_per_booking,
                                   position)
         SELECT id, '{name}', 'With a view of most of the stage.', {price_minor}, {capacity}, {available}, 6,
                1 + (SELECT COUNT(*) FROM ticket_types it WHERE it.event_id = events.id)
         FROM events WHERE slug = '{slug}'"
    )
}

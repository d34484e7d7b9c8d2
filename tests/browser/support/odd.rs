//! Concerts as organizers really make them: long names, one ticket type or twelve, other money, other clocks.

use super::Site;

/// Its slug, and what SQL says of it: name, venue, city, zone, currency, state, and what it is in other ways.
const CONCERTS: [(&str, &str); 7] = [
    (
        "twelve",
        "'Twelve Nights of the Philharmonic Unterhaltungsorchester and Their Distinguished Friends',
         'Sheikh Jaber Al-Ahmad Cultural Centre, National Theatre', 'Kuwait City', 'Asia/Kuwait', 'KWD', 'published', false",
    ),
    ("tokyo", "'Philharmonic', 'Budokan', 'Tokyo', 'Asia/Tokyo', 'JPY', 'published', false"),
    ("sao-paulo", "'Noite Livre', 'Parque Ibirapuera', 'São Paulo', 'America/Sao_Paulo', 'BRL', 'published', false"),
    ("colombo", "'Raga at Dawn', 'Nelum Pokuna', 'Colombo', 'Asia/Colombo', 'LKR', 'published', false"),
    ("gone", "'Gone in a Minute', 'Cellar', 'Vienna', 'Europe/Vienna', 'EUR', 'published', false"),
    ("paused", "'Hold On', 'Cellar', 'Vienna', 'Europe/Vienna', 'EUR', 'published', true"),
    ("canceled", "'Rained Off', 'Cellar', 'Vienna', 'Europe/Vienna', 'EUR', 'canceled', false"),
];

impl Site {
    /// Seven concerts beside the seed's. All tell what can be told: doors, age, address, a text.
    pub fn add_odd_concerts(&self) {
        for (slug, facts) in CONCERTS {
            self.run_sql(&format!(
                "INSERT INTO events (slug, name, venue, city, time_zone, currency, state, paused, tagline, description,
                                     address, doors_at, starts_at, ends_at, age_limit)
                 VALUES ('{slug}', {facts}, 'A night to remember.',
                         'First part: the quartet.\n\nSecond part: everybody.', '1 Long Embankment Road, Building 7',
                         '2028-02-01 12:00:00', '2028-02-01 13:00:00', '2028-02-01 16:30:00', 18)"
            ));
        }
        for number in 1..=12 {
            let name = match number {
                3 => "Donaudampfschifffahrtsgesellschaft Balcony, Unobstructed",
                7 => "Early Bird",
                number if number % 2 == 0 => "Seated, Rear Orchestra, Left",
                _ => "Standing",
            };
            self.add_ticket_type("twelve", &format!("{name} {number}"), 1_234_500 / number, 40, 40);
        }
        self.add_ticket_type("tokyo", "Arena", 12_000, 1_300, 1_299);
        self.add_ticket_type("tokyo", "Balcony", 8_000, 2_500, 9);
        self.add_ticket_type("sao-paulo", "Entrada", 0, 5_000, 5_000);
        for number in 1..=4 {
            self.add_ticket_type("colombo", &format!("Block {number}"), 250_000, 100, 30 / number);
        }
        for slug in ["gone", "paused", "canceled"] {
            self.add_ticket_type(slug, "Floor", 3_500, 100, i64::from(slug != "gone") * 60);
            self.add_ticket_type(slug, "Stairs", 3_500, 100, 0);
        }
    }

    /// A ticket type after those that the concert has.
    pub fn add_ticket_type(&self, slug: &str, name: &str, price_minor: i64, capacity: i64, available: i64) {
        self.run_sql(&format!(
            "INSERT INTO ticket_types (event_id, name, description, price_minor, capacity, available, max_per_booking,
                                       position)
             SELECT id, '{name}', 'With a view of most of the stage.', {price_minor}, {capacity}, {available}, 6,
                    1 + (SELECT COUNT(*) FROM ticket_types it WHERE it.event_id = events.id)
             FROM events WHERE slug = '{slug}'"
        ));
    }
}

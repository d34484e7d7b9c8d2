//! The secret keys in a site's URLs, and all the ways in which they reach a proxy.

/// The keys that must not appear in any log.
pub struct Keys {
    booking: String,
    token: String,
    ticket: String,
    gate: String,
    link: String,
}

impl Keys {
    /// The key of an existing booking, and made-up keys of the other kinds.
    pub fn of(booking: &str) -> Self {
        Self {
            booking: booking.to_owned(),
            token: booking.rsplit('/').next().expect("a token").to_owned(),
            ticket: "AAEXR7FJK9QMXRSAZ1ywvu2q-rstuvwxyz012".into(),
            gate: "q3fGh7KJ0aB-lmnOPQRstuvWXYZ_0123456789abcde".into(),
            link: "9xSEALEDxLINKxOFxADA-0123456789_abcdefghij".into(),
        }
    }

    pub fn assert_unknown_to(&self, log: &str) {
        for key in [&self.token, &self.ticket, &self.gate, &self.link] {
            // A long part of a key is as bad, since the rest can be guessed.
            for part in [&key[4..], &key[..8]] {
                let told = log.lines().find(|line| line.contains(part));
                assert_eq!(told, None, "{part} of {key}");
            }
        }
    }
}

/// Paths, most with keys in them, each with the Referer that an older browser would send.
pub fn visits(keys: &Keys) -> Vec<(String, String)> {
    let Keys { booking, token, ticket, gate, link } = keys;
    let encoded: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let paths = [
        booking.clone(),
        format!("{booking}/calendar.ics"),
        format!("{booking}/cancellation"),
        format!("/{booking}//x"),
        format!("/BOOKINGS/{token}"),
        format!("/book%69ngs/{token}"),
        format!("/bookings/{encoded}"),
        format!("/bookings%2f{token}"),
        format!("/booking/{token}"),
        format!("/x/y/{token}/z"),
        format!("/{token}"),
        format!("/tickets/{ticket}"),
        format!("/tickets/{ticket}/calendar.ics"),
        format!("/gates/{gate}"),
        format!("/gates/{gate}/turnout"),
        format!("/api/v1/bookings/{token}"),
        format!("/bookings?link={link}"),
        format!("/bookings/?link={link}&token={token}"),
        format!("/?{token}"),
        "/bookings/find".into(),
        "/events/midnight-parade".into(),
    ];
    paths.into_iter().map(|path| (path, booking.clone())).collect()
}

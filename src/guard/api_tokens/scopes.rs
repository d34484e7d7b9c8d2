//! What a token allows its client to do.

use std::fmt;

/// One thing that a token may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// To see drafts, and everything of a concert that only the organizer sees.
    EventsRead,
    /// To create and change concerts and ticket types. A client that may change them sees them too.
    EventsWrite,
    /// To book.
    BookingsWrite,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::EventsRead, Self::EventsWrite, Self::BookingsWrite];

    /// Its name in forms, in the database and in errors. It never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsRead => "events:read",
            Self::EventsWrite => "events:write",
            Self::BookingsWrite => "bookings:write",
        }
    }

    /// What a page says of it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::EventsRead => "See all concerts, drafts and hidden ticket types too",
            Self::EventsWrite => "Create, change, publish and archive concerts, and see them all",
            Self::BookingsWrite => "Book tickets",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// All that a token allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Each once, in the order of [`Scope::ALL`].
    #[must_use]
    pub fn new(wanted: &[Scope]) -> Self {
        Self(Scope::ALL.into_iter().filter(|scope| wanted.contains(scope)).collect())
    }

    /// Reads what [`fmt::Display`] writes. Unknown names are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::new(&text.split(' ').filter_map(Scope::parse).collect::<Vec<_>>())
    }

    #[must_use]
    pub fn allows(&self, wanted: Scope) -> bool {
        self.0.contains(&wanted) || wanted == Scope::EventsRead && self.0.contains(&Scope::EventsWrite)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let all = Scopes::new(&[Scope::BookingsWrite, Scope::EventsRead, Scope::EventsRead]);
        assert_eq!(all.to_string(), "events:read bookings:write");
        assert_eq!(Scopes::parse("bookings:write root events:read"), all);
        assert!(all.allows(Scope::EventsRead) && !all.allows(Scope::EventsWrite));
        let write = Scopes::parse("events:write");
        assert!(write.allows(Scope::EventsRead) && !write.allows(Scope::BookingsWrite));
        assert!(Scopes::parse("").is_empty());
    }
}

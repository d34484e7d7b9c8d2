//! The rate limits: each class of URLs has one of its own.

/// A class of requests that count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Everything that has no class of its own.
    Pages,
    /// What every open page requests all the time. Answered from memory.
    Polls,
    /// A page needs about twenty of them, once. Answered from memory.
    StaticFiles,
    /// The pictures of concerts that other sites show. Each is drawn once.
    Previews,
    /// Taking a place in a waiting room.
    Places,
    /// Whatever books or changes a booking.
    Bookings,
    /// What a buyer does with tickets that are held. The rate is that of pages, but they are counted separately:
    /// the time of the hold runs, and others on the same network send requests too.
    Payments,
    /// A gate's scans, counts and searches. The rate is that of pages, but they are counted separately, so
    /// that visitors on the venue's network do not slow a gate down.
    Gates,
    /// Events that the payment provider sends. Each needs a signature, and a sale causes as many of them as
    /// payments.
    Webhooks,
    /// Whatever checks or sets a password.
    SignIn,
    /// The organizer's pages, which cost more the more is sold.
    Admin,
    /// `/api/` without a token.
    Api,
    /// `/api/` with a valid token.
    ApiToken,
    /// The tickets of bookings, one by one, on the site and through the API. No URL has this class: a handler counts
    /// them when it knows how many are wanted.
    Tickets,
    /// The same through the API with a token.
    TokenTickets,
}

impl RateClass {
    pub const ALL: [Self; 15] = [
        Self::Pages,
        Self::Polls,
        Self::StaticFiles,
        Self::Previews,
        Self::Places,
        Self::Bookings,
        Self::Payments,
        Self::Gates,
        Self::Webhooks,
        Self::SignIn,
        Self::Admin,
        Self::Api,
        Self::ApiToken,
        Self::Tickets,
        Self::TokenTickets,
    ];

    /// Its name in the log, in the RateLimit headers, and in Redis.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Polls => "polls",
            Self::StaticFiles => "static",
            Self::Previews => "previews",
            Self::Places => "places",
            Self::Bookings => "bookings",
            Self::Payments => "payments",
            Self::Gates => "gates",
            Self::Webhooks => "webhooks",
            Self::SignIn => "sign-in",
            Self::Admin => "admin",
            Self::Api => "api",
            Self::ApiToken => "api-token",
            Self::Tickets => "tickets",
            Self::TokenTickets => "token-tickets",
        }
    }

    /// Whether the servers of a site count together, through Redis: the strict limits. Each server counts the other
    /// classes by itself, because many of their requests are answered faster than Redis.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        matches!(
            self,
            Self::Places
                | Self::Bookings
                | Self::SignIn
                | Self::Api
                | Self::ApiToken
                | Self::Tickets
                | Self::TokenTickets
        )
    }
}

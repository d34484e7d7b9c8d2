//! What kind of request it is: each kind has a limit of its own.

use actix_web::http::Method;

/// A class of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Everything that has no class of its own.
    Pages,
    /// What every open page asks for again and again: answered from memory.
    Polls,
    /// Of which a page needs about twenty, once: answered from memory.
    StaticFiles,
    /// What books, or changes a booking.
    Bookings,
    /// What checks a password.
    SignIn,
    /// `/api/` without a token.
    Api,
    /// `/api/` with a token of `API_TOKENS`.
    ApiToken,
}

impl Class {
    pub const ALL: [Self; 7] = [
        Self::Pages,
        Self::Polls,
        Self::StaticFiles,
        Self::Bookings,
        Self::SignIn,
        Self::Api,
        Self::ApiToken,
    ];

    /// By method and path; the path as the routes read it, its percent-encodings resolved.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        if path.starts_with("/events/") && path.ends_with("/availability") {
            return Self::Polls;
        }
        if path.starts_with("/static/") || matches!(path, "/favicon.ico" | "/robots.txt") {
            return Self::StaticFiles;
        }
        if path == "/api" || path.starts_with("/api/") {
            return Self::Api;
        }
        match path {
            _ if method.is_safe() => Self::Pages,
            "/bookings" => Self::Bookings,
            _ if path.starts_with("/bookings/") => Self::Bookings,
            "/admin/sign-in" | "/admin/password" => Self::SignIn,
            _ => Self::Pages,
        }
    }

    /// Its name: in the log, in the RateLimit fields, and in Redis.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Polls => "polls",
            Self::StaticFiles => "static",
            Self::Bookings => "bookings",
            Self::SignIn => "sign-in",
            Self::Api => "api",
            Self::ApiToken => "api-token",
        }
    }

    /// Whether the servers of a site count together. A crowd's requests cost less than asking Redis about
    /// them would, so each server counts those by itself.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::Bookings | Self::SignIn | Self::Api | Self::ApiToken)
    }

    /// Whether the answers are kept for everybody by proxies, and the same for all.
    #[must_use]
    pub const fn is_cached(self) -> bool {
        matches!(self, Self::Polls | Self::StaticFiles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_has_its_class() {
        for (method, path, class) in [
            (Method::GET, "/", Class::Pages),
            (Method::GET, "/nowhere", Class::Pages),
            (Method::GET, "/bookings/new", Class::Pages),
            (Method::HEAD, "/bookings", Class::Pages),
            (Method::POST, "/bookings", Class::Bookings),
            (Method::PUT, "/bookings", Class::Bookings),
            (Method::POST, "/bookings/abc/cancellation", Class::Bookings),
            (Method::POST, "/buyer/forget", Class::Pages),
            (Method::GET, "/admin/sign-in", Class::Pages),
            (Method::POST, "/admin/sign-in", Class::SignIn),
            (Method::GET, "/admin/password", Class::Pages),
            (Method::POST, "/admin/password", Class::SignIn),
            (Method::POST, "/admin/sign-out", Class::Pages),
            (Method::POST, "/bookings/find", Class::Bookings),
            (Method::GET, "/events/x/availability", Class::Polls),
            (Method::GET, "/events/x", Class::Pages),
            (Method::GET, "/static/css/app.css", Class::StaticFiles),
            (Method::GET, "/favicon.ico", Class::StaticFiles),
            (Method::POST, "/api/v1/bookings", Class::Api),
            (Method::GET, "/api", Class::Api),
            (Method::GET, "/apis", Class::Pages),
        ] {
            assert_eq!(Class::of(&method, path), class, "{method} {path}");
        }
    }
}

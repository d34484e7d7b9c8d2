//! What an account may open: each role opens all that the one below it opens.

use crate::db::text_enum;

text_enum! {
    /// An account's role, the one that opens the least first.
    AccountRole {
        /// Checks tickets in.
        Gate = "gate",
        /// Finds bookings, corrects names and addresses, and sends tickets again.
        BoxOffice = "box_office",
        /// Runs concerts and their bookings.
        Organizer = "organizer",
        /// Opens everything.
        Owner = "owner",
    }
}

impl AccountRole {
    /// Whether this role opens everything that `needed` opens.
    #[must_use]
    pub const fn may(self, needed: Self) -> bool {
        self as u8 >= needed as u8
    }

    /// What pages call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gate => "Gate",
            Self::BoxOffice => "Box office",
            Self::Organizer => "Organizer",
            Self::Owner => "Owner",
        }
    }

    /// What it is for.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Gate => "Checks tickets in.",
            Self::BoxOffice => {
                "Finds bookings, corrects names and addresses, sends tickets again, checks in."
            }
            Self::Organizer => "Runs concerts, sales and bookings.",
            Self::Owner => "Does everything, and manages the team.",
        }
    }

    /// The page that it starts on.
    #[must_use]
    pub const fn home(self) -> &'static str {
        match self {
            Self::Gate => "/admin/check-in",
            Self::BoxOffice => "/admin/bookings",
            Self::Organizer | Self::Owner => "/admin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_opens_what_the_one_below_it_opens() {
        for (index, role) in AccountRole::ALL.iter().enumerate() {
            for (other, needed) in AccountRole::ALL.iter().enumerate() {
                assert_eq!(role.may(*needed), index >= other, "{role:?} {needed:?}");
            }
        }
    }
}

//! The settings of the API: who may book through it, and from where.

use clap::Args;

use super::public_url::origin_of;
use crate::api::middleware::CorsOrigins;
use crate::guard::api_tokens::ApiBookings;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct ApiSettings {
    /// Other sites whose pages may call the API, as https://shop.example.org, separated by commas, or * for all;
    /// never with cookies [default: none]
    #[arg(long, env = "CORS_ORIGINS", global = true)]
    cors_origins: Option<String>,

    /// Who may book through the API: token (clients with a token of API_TOKENS), anonymous (everybody) or off
    /// [default: token, but anonymous while nothing but this machine can reach the site]
    #[arg(long, env = "API_BOOKINGS", global = true)]
    api_bookings: Option<String>,
}

impl ApiSettings {
    /// `is_private`: nothing but this machine can reach the site.
    pub(super) fn parse_bookings(&self, is_private: bool) -> Result<ApiBookings, StartError> {
        match self.api_bookings.as_deref().unwrap_or_default().trim() {
            "" if is_private => Ok(ApiBookings::Anonymous),
            "" | "token" => Ok(ApiBookings::Token),
            "anonymous" => Ok(ApiBookings::Anonymous),
            "off" => Ok(ApiBookings::Off),
            other => {
                let hint = "use token, anonymous or off";
                Err(StartError::setting("API_BOOKINGS", other, "not one of the three", hint))
            }
        }
    }

    pub(super) fn parse_origins(&self) -> Result<CorsOrigins, StartError> {
        let typed = self.cors_origins.as_deref().unwrap_or_default().trim();
        match typed {
            "" => return Ok(CorsOrigins::None),
            "*" => return Ok(CorsOrigins::Any),
            _ => {}
        }
        let origins = typed.split(',').map(str::trim).map(|value| {
            let hint =
                "write scheme and host only, as https://shop.example.org, separated by commas, or * alone";
            origin_of(value)
                .ok_or_else(|| StartError::setting("CORS_ORIGINS", value, "not a site's address", hint))
        });
        origins.collect::<Result<_, _>>().map(CorsOrigins::Of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_private_site_takes_anonymous_bookings_by_itself() {
        let who = |typed: Option<&str>, is_private| {
            let settings = ApiSettings { cors_origins: None, api_bookings: typed.map(str::to_owned) };
            settings.parse_bookings(is_private).ok()
        };
        assert_eq!((who(None, true), who(Some(""), true)), (who(Some("anonymous"), true), who(None, true)));
        assert_eq!((who(None, false), who(Some(""), false)), (Some(ApiBookings::Token), who(None, false)));
        for is_private in [true, false] {
            assert_eq!(who(Some("token"), is_private), Some(ApiBookings::Token));
            assert_eq!(who(Some("anonymous"), is_private), Some(ApiBookings::Anonymous));
            assert_eq!(who(Some("off"), is_private), Some(ApiBookings::Off));
            assert_eq!(who(Some("everybody"), is_private), None);
        }
    }

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        let parse = |typed: &str| {
            ApiSettings { cors_origins: Some(typed.into()), api_bookings: None }.parse_origins()
        };
        let of =
            |origins: &[&str]| CorsOrigins::Of(origins.iter().map(|origin| (*origin).to_owned()).collect());
        assert_eq!(parse(" ").expect("none"), CorsOrigins::None);
        assert_eq!(parse("*").expect("all"), CorsOrigins::Any);
        assert_eq!(
            parse("https://Shop.example:443/, http://127.0.0.1:8000").expect("two"),
            of(&["https://shop.example", "http://127.0.0.1:8000"])
        );
        for bad in [
            "null",
            "shop.example",
            "https://a,*",
            "https://a,,https://b",
            "https://a/b",
            "https://*.a.example",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

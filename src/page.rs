//! What every page needs: whether a fragment or a whole page is asked for, the toast that a redirect
//! left behind, and the response around a rendered template.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, OnceLock};

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION, VARY};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use askama::Template;

use crate::box_office::{BoxOfficeDetails, KnownBoxOffice};
use crate::guard::cookies::Cookies;
use crate::role::AccountRole;

/// The name of the cookie that carries a toast over a redirect.
const TOAST_COOKIE: &str = "toast";

/// Tells the browser to drop what it keeps of this site's pages: the next person who uses it reads no name in them
/// (OWASP ASVS 5.0, 14.3.1). Browsers heed it over https.
pub const CLEAR_CACHE: (&str, &str) = ("Clear-Site-Data", "\"cache\"");

/// The site's terms, privacy and legal notice, each at an address elsewhere. Every page links to those that
/// are set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteLinks {
    pub terms: Option<String>,
    pub privacy: Option<String>,
    pub imprint: Option<String>,
}

impl SiteLinks {
    /// The names and the addresses of the links that are set.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let links = [("Terms", &self.terms), ("Privacy", &self.privacy), ("Legal notice", &self.imprint)];
        links.into_iter().filter_map(|(name, url)| Some((name, url.as_deref()?)))
    }
}

/// The account with which anybody may look at the organizer's pages of a demo.
#[derive(Debug)]
pub struct DemoAccount {
    pub username: &'static str,
    pub password: String,
}

/// Set if this program is a demo. It is global and not in [`Page`], so that a page that is made without a
/// request, such as an error, says it too.
static DEMO: OnceLock<DemoAccount> = OnceLock::new();

/// From now on every page says that this is a demo, and how to sign in.
pub fn this_is_a_demo(account: DemoAccount) -> &'static DemoAccount {
    DEMO.get_or_init(|| account)
}

/// The account that every page shows if this is a demo.
#[must_use]
pub fn demo() -> Option<&'static DemoAccount> {
    DEMO.get()
}

/// The role of the account that looks at a page. Empty until an extractor has let the request in.
#[derive(Debug, Clone, Default)]
pub struct Viewer(Arc<OnceLock<AccountRole>>);

impl Viewer {
    /// The viewer of this request: its extractors share one.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let mut extensions = request.extensions_mut();
        if let Some(viewer) = extensions.get::<Self>() {
            return viewer.clone();
        }
        let viewer = Self::default();
        extensions.insert(viewer.clone());
        viewer
    }

    /// Sets the role, once for each request.
    pub fn is(&self, role: AccountRole) {
        self.0.get_or_init(|| role);
    }
}

/// Whether buyers pay with test cards: every page says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestMode(pub bool);

/// The layout's context, taken from the request.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// htmx asks for a fragment, not for a page.
    pub wants_fragment: bool,
    pub toast: Option<Toast>,
    pub links: Arc<SiteLinks>,
    pub box_office: Arc<BoxOfficeDetails>,
    /// Nobody pays real money.
    pub is_test_mode: bool,
    viewer: Viewer,
    /// Makes the browser forget the toast that it sent, which this page shows.
    toast_removal: Option<Cookie<'static>>,
}

/// A message that says what has just happened. A success disappears by itself; a failure stays until it is dismissed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    pub succeeded: bool,
    pub message: String,
}

impl Toast {
    pub fn success(message: impl Into<String>) -> Self {
        Self { succeeded: true, message: message.into() }
    }

    pub fn failure(message: impl Into<String>) -> Self {
        Self { succeeded: false, message: message.into() }
    }
}

impl FromRequest for Page {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let wants_fragment = request.headers().contains_key("HX-Request")
            && !request.headers().contains_key("HX-History-Restore-Request");
        // A fragment leaves the toast for the page that the redirect leads to.
        let (toast, toast_removal) = if wants_fragment { None } else { toast_from_cookie(request) }.unzip();
        let links = request.app_data::<web::Data<SiteLinks>>().map(|links| Arc::clone(links));
        let box_office = request.app_data::<web::Data<KnownBoxOffice>>().map(|known| known.now());
        let is_test_mode = request.app_data::<TestMode>().is_some_and(|it| it.0);
        let viewer = Viewer::of(request);
        ready(Ok(Self {
            wants_fragment,
            toast,
            links: links.unwrap_or_default(),
            box_office: box_office.unwrap_or_default(),
            is_test_mode,
            viewer,
            toast_removal,
        }))
    }
}

impl Page {
    /// A page for somebody of this role.
    #[must_use]
    pub fn of_role(role: AccountRole) -> Self {
        let page = Self::default();
        page.viewer.is(role);
        page
    }

    /// Whether its reader may open what that role opens: links to other places are left out.
    #[must_use]
    pub fn may(&self, needed: AccountRole) -> bool {
        self.viewer.0.get().is_some_and(|role| role.may(needed))
    }

    /// The same page, which shows a toast.
    #[must_use]
    pub fn with_toast(self, toast: Toast) -> Self {
        Self { toast: Some(toast), ..self }
    }

    /// A rendered template as a response for this visitor alone: no cache keeps it.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn respond<E: From<askama::Error>>(
        &self,
        status: StatusCode,
        template: &impl Template,
    ) -> Result<HttpResponse, E> {
        Ok(self.builder(status).body(html(template)?))
    }

    /// The same for pages that search engines must not list: bookings and the admin's pages.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn respond_unlisted<E: From<askama::Error>>(
        &self,
        status: StatusCode,
        template: &impl Template,
    ) -> Result<HttpResponse, E> {
        Ok(self.unlisted_builder(status).body(html(template)?))
    }

    /// The start of an unlisted response, for handlers that add headers of their own.
    #[must_use]
    pub fn unlisted_builder(&self, status: StatusCode) -> HttpResponseBuilder {
        let mut response = self.builder(status);
        response.insert_header(("X-Robots-Tag", "noindex, nofollow"));
        response
    }

    /// Sends the browser to another page, also where it asked for a fragment.
    #[must_use]
    pub fn send_to(&self, location: &str) -> HttpResponse {
        if !self.wants_fragment {
            return see_other(location).finish();
        }
        self.builder(StatusCode::OK).insert_header(("HX-Redirect", location)).finish()
    }

    fn builder(&self, status: StatusCode) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(status);
        response
            .content_type("text/html; charset=utf-8")
            .insert_header((VARY, "HX-Request"))
            .insert_header((CACHE_CONTROL, "private, no-store"));
        if let Some(removal) = &self.toast_removal {
            response.cookie(removal.clone());
        }
        response
    }
}

/// Renders a template.
///
/// # Errors
/// When it does not render, which a well-formed template never does.
pub fn html(template: &impl Template) -> Result<String, askama::Error> {
    template.render()
}

/// Sends the browser on after a form post, so that a reload never posts again.
#[must_use]
pub fn see_other(location: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store"));
    response
}

/// [`see_other`] to a page that shows `toast`.
#[must_use]
pub fn see_other_with(cookies: &Cookies, location: &str, toast: &Toast) -> HttpResponse {
    see_other(location).cookie(toast_cookie(cookies, toast)).finish()
}

/// The cookie that shows `toast` on the next page.
#[must_use]
pub fn toast_cookie(cookies: &Cookies, toast: &Toast) -> Cookie<'static> {
    let kind = if toast.succeeded { "+" } else { "-" };
    let cookie = cookies.sealed(TOAST_COOKIE, &format!("{kind}{}", toast.message));
    cookie.same_site(SameSite::Lax).finish()
}

/// The toast, and the cookie that makes the browser forget it.
fn toast_from_cookie(request: &HttpRequest) -> Option<(Toast, Cookie<'static>)> {
    let cookies = request.app_data::<web::Data<Cookies>>()?;
    let value = cookies.open(request, TOAST_COOKIE)?;
    let (kind, message) = value.split_at_checked(1)?;
    let toast = Toast { succeeded: kind == "+", message: message.to_owned() };
    Some((toast, cookies.removal(TOAST_COOKIE)))
}

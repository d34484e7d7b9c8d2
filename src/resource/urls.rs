//! Every URL of the site. The order matters: the first pattern that matches a path is its URL, and the paths that
//! a crowd asks for come first.

use super::{Endpoint, RateClass};

macro_rules! urls {
    ($($name:ident = $endpoint:expr;)*) => {
        $(pub static $name: Endpoint = $endpoint;)*

        pub static ALL: &[&Endpoint] = &[$(&$name),*];
    };
}

urls! {
    AVAILABILITY = Endpoint::page("/events/{slug}/availability").class(RateClass::Polls).cached();
    BOOKINGS = Endpoint::form("/bookings").post_class(RateClass::Bookings);
    QUEUE_LINE = Endpoint::page("/events/{slug}/queue/line").class(RateClass::Polls).cached().part();
    STATIC_FILE = Endpoint::page("/static/{name:.*}").class(RateClass::StaticFiles).cached();
    PICTURE = Endpoint::page("/pictures/{name}").class(RateClass::StaticFiles).cached();
    FAVICON = Endpoint::page("/favicon.ico").class(RateClass::StaticFiles).cached();
    ROBOTS = Endpoint::page("/robots.txt").class(RateClass::StaticFiles).cached();
    SITEMAP = Endpoint::page("/sitemap.xml").class(RateClass::StaticFiles).cached();
    WEB_MANIFEST = Endpoint::page("/site.webmanifest").class(RateClass::StaticFiles).cached();
    SERVICE_WORKER = Endpoint::page("/offline.js").class(RateClass::StaticFiles).cached();

    // For buyers
    EVENTS = Endpoint::page("/");
    EVENT = Endpoint::page("/events/{slug}");
    EVENT_CALENDAR = Endpoint::page("/events/{slug}/calendar.ics");
    EVENT_PREVIEW = Endpoint::page("/events/{slug}/preview.png").class(RateClass::Previews).cached();
    QUEUE = Endpoint::form("/events/{slug}/queue").post_class(RateClass::Places);
    QUEUE_PLACE = Endpoint::form("/events/{slug}/queue/place/{token}").post_class(RateClass::Places);
    QUEUE_REGISTRATION = Endpoint::action("/events/{slug}/queue/registration").post_class(RateClass::Places);
    QUEUE_DRAW = Endpoint::page("/events/{slug}/queue/draw");
    NEW_BOOKING = Endpoint::form("/bookings/new");
    FIND_BOOKINGS = Endpoint::form("/bookings/find").post_class(RateClass::Bookings);
    BOOKING = Endpoint::page("/bookings/{token}").post_class(RateClass::Bookings);
    CALENDAR = Endpoint::page("/bookings/{token}/calendar.ics").post_class(RateClass::Bookings);
    CANCELLATION = Endpoint::form("/bookings/{token}/cancellation").post_class(RateClass::Bookings);
    BUYER = Endpoint::form("/bookings/{token}/buyer").post_class(RateClass::Bookings);
    BUYER_EMAIL = Endpoint::action("/buyer/email");
    TICKET = Endpoint::page("/tickets/{token}");
    TICKET_CALENDAR = Endpoint::page("/tickets/{token}/calendar.ics");
    UNDO = Endpoint::action("/bookings/{token}/undo").post_class(RateClass::Bookings);
    FORGET_BUYER = Endpoint::action("/buyer/forget");
    EMAILS = Endpoint::form("/emails").post_class(RateClass::Bookings);

    PAYMENT = Endpoint::form("/bookings/{token}/payment").post_class(RateClass::Payments);
    RECEIPT = Endpoint::page("/bookings/{token}/receipt");
    EXTENSION = Endpoint::action("/bookings/{token}/extension").post_class(RateClass::Payments);
    RELEASE = Endpoint::action("/bookings/{token}/release").post_class(RateClass::Payments);

    // For the payment provider
    WEBHOOK = Endpoint::action("/webhooks/stripe").class(RateClass::Webhooks).long_text();

    // For the staff at a gate
    GATE_LINK = Endpoint::form("/gates/{token}").class(RateClass::Gates).camera();
    GATE_LINK_TURNOUT = Endpoint::page("/gates/{token}/turnout").class(RateClass::Gates);
    GATE_LINK_ADMISSIONS = Endpoint::action("/gates/{token}/admissions").class(RateClass::Gates);
    GATE_LINK_REVOCATION = Endpoint::action("/gates/{token}/revocation").class(RateClass::Gates);

    // For people who are invited to the team
    INVITATION = Endpoint::form("/invitations/{token}").post_class(RateClass::SignIn);

    // API
    API_EVENTS = Endpoint::form("/api/v1/events").class(RateClass::Api).long_text();
    API_EVENT =
        Endpoint::with_methods("/api/v1/events/{slug}", "GET, HEAD, PATCH").class(RateClass::Api).long_text();
    API_PUBLICATION = Endpoint::switch("/api/v1/events/{slug}/publication").class(RateClass::Api);
    API_PAUSE = Endpoint::switch("/api/v1/events/{slug}/pause").class(RateClass::Api);
    API_IMAGE = Endpoint::with_methods("/api/v1/events/{slug}/image", "PUT, DELETE")
        .class(RateClass::Api)
        .with_file();
    API_ARCHIVE = Endpoint::switch("/api/v1/events/{slug}/archive").class(RateClass::Api);
    API_TICKET_TYPES = Endpoint::form("/api/v1/events/{slug}/ticket-types").class(RateClass::Api);
    API_TICKET_TYPE =
        Endpoint::with_methods("/api/v1/events/{slug}/ticket-types/{id}", "GET, HEAD, PATCH").class(RateClass::Api);
    API_AVAILABILITY = Endpoint::page("/api/v1/events/{slug}/availability").class(RateClass::Api);
    API_BOOKINGS = Endpoint::action("/api/v1/bookings").class(RateClass::Api).post_class(RateClass::Bookings);
    API_BOOKING =
        Endpoint::page("/api/v1/bookings/{token}").class(RateClass::Api).post_class(RateClass::Bookings);
    API_CANCELLATION = Endpoint::action("/api/v1/bookings/{token}/cancellation")
        .class(RateClass::Api)
        .post_class(RateClass::Bookings);
    OPENAPI = Endpoint::page("/api/v1/openapi.json").class(RateClass::Api);
    API_DOCS = Endpoint::page("/api/docs").class(RateClass::Api);
    COMPAT_TICKETS = Endpoint::page("/api/tickets").class(RateClass::Api);
    COMPAT_BOOKINGS = Endpoint::action("/api/bookings").class(RateClass::Api).post_class(RateClass::Bookings);

    // For organizers
    ADMIN = Endpoint::page("/admin");
    SALES = Endpoint::page("/admin/sales").part();
    CHECK_IN = Endpoint::form("/admin/check-in").class(RateClass::Gates).camera();
    CHECK_IN_GATE = Endpoint::form("/admin/check-in/gate");
    CHECK_IN_TURNOUT = Endpoint::page("/admin/check-in/turnout").class(RateClass::Gates).part();
    CHECK_IN_ADMISSIONS = Endpoint::action("/admin/check-in/admissions").class(RateClass::Gates);
    CHECK_IN_REVOCATION = Endpoint::action("/admin/check-in/revocation").class(RateClass::Gates);
    GATES = Endpoint::form("/admin/gates");
    GATE_REVOCATION = Endpoint::action("/admin/gates/{id}/revocation");
    // The sign-in carries what was typed into another form.
    SIGN_IN = Endpoint::form("/admin/sign-in").post_class(RateClass::SignIn).long_text();
    // The question for a code carries the same.
    SIGN_IN_CODE = Endpoint::form("/admin/sign-in/code").post_class(RateClass::SignIn).long_text();
    SIGN_OUT = Endpoint::action("/admin/sign-out");
    ACCOUNT = Endpoint::form("/admin/account");
    PASSWORD = Endpoint::form("/admin/password").post_class(RateClass::SignIn);
    SECOND_FACTOR = Endpoint::form("/admin/second-factor").post_class(RateClass::SignIn);
    TEAM = Endpoint::form("/admin/team").post_class(RateClass::SignIn);
    INVITATION_WITHDRAWAL = Endpoint::action("/admin/team/invitations/{id}/withdrawal");
    TEAM_RULE = Endpoint::action("/admin/team/second-factor").post_class(RateClass::SignIn);
    TEAM_MEMBER = Endpoint::form("/admin/team/{id}").post_class(RateClass::SignIn);
    AUDIT_LOG = Endpoint::page("/admin/audit-log");
    MAILS = Endpoint::page("/admin/mails");
    MAIL_ATTEMPTS = Endpoint::action("/admin/mails/attempts");
    MAIL_ATTEMPT = Endpoint::action("/admin/mails/{id}/attempts");
    SETUP = Endpoint::page("/admin/setup");
    SETUP_STEP = Endpoint::form("/admin/setup/{step}");
    RESEED = Endpoint::form("/admin/reseed");
    ADMIN_BOOKINGS = Endpoint::page("/admin/bookings");
    ADMIN_BOOKING = Endpoint::page("/admin/bookings/{reference}");
    ADMIN_BUYER = Endpoint::form("/admin/bookings/{reference}/buyer");
    ADMIN_CANCELLATION = Endpoint::form("/admin/bookings/{reference}/cancellation");
    ADMIN_EVENTS = Endpoint::form("/admin/events").long_text().with_file();
    NEW_EVENT = Endpoint::form("/admin/events/new").long_text().with_file();
    ADMIN_EVENT = Endpoint::page("/admin/events/{slug}");
    EDIT_EVENT = Endpoint::form("/admin/events/{slug}/edit").long_text().with_file();
    ADMIN_EVENT_PREVIEW = Endpoint::page("/admin/events/{slug}/preview");
    PUBLICATION = Endpoint::action("/admin/events/{slug}/publication");
    WITHDRAWAL = Endpoint::action("/admin/events/{slug}/withdrawal");
    PAUSE = Endpoint::action("/admin/events/{slug}/pause");
    ARCHIVE = Endpoint::action("/admin/events/{slug}/archive");
    POSTPONEMENT = Endpoint::form("/admin/events/{slug}/postponement");
    EVENT_CANCELLATION = Endpoint::form("/admin/events/{slug}/cancellation");
    HOLDER_MESSAGES = Endpoint::form("/admin/events/{slug}/messages").long_text();
    EVENT_DASHBOARD = Endpoint::page("/admin/events/{slug}/dashboard").part();
    EVENT_PROGRESS = Endpoint::page("/admin/events/{slug}/progress").part();
    REHEARSAL = Endpoint::form("/admin/events/{slug}/rehearsal");
    REHEARSAL_STATE = Endpoint::page("/admin/events/{slug}/rehearsal/state").part();
    REHEARSAL_STOP = Endpoint::action("/admin/events/{slug}/rehearsal/stop");
    WAITING_ROOM = Endpoint::form("/admin/events/{slug}/waiting-room");
    WAITING_ROOM_FIGURES = Endpoint::page("/admin/events/{slug}/waiting-room/figures").part();
    WAITING_ROOM_FLOW = Endpoint::action("/admin/events/{slug}/waiting-room/flow");
    NEW_TICKET_TYPE = Endpoint::form("/admin/events/{slug}/ticket-types/new");
    EDIT_TICKET_TYPE = Endpoint::form("/admin/events/{slug}/ticket-types/{id}");
    TICKET_TYPE_STATE = Endpoint::action("/admin/events/{slug}/ticket-types/{id}/state");
    TICKET_TYPE_POSITION = Endpoint::action("/admin/events/{slug}/ticket-types/{id}/position");
    NEW_EXPORT = Endpoint::page("/admin/events/{slug}/export");
    EXPORT = Endpoint::page("/admin/events/{slug}/bookings.csv").part();
    ADMIN_PAYMENTS = Endpoint::page("/admin/payments");
    EVENT_PAYMENTS = Endpoint::page("/admin/events/{slug}/payments");
    PAYMENTS_CSV = Endpoint::page("/admin/events/{slug}/payments.csv").part();
    PAYMENTS_WORKBOOK = Endpoint::page("/admin/events/{slug}/payments.xlsx").part();
    ADMIN_REFUND = Endpoint::form("/admin/bookings/{reference}/refund").post_class(RateClass::SignIn);
    TOKENS = Endpoint::form("/admin/tokens").post_class(RateClass::SignIn);
    TOKEN_REVOCATION = Endpoint::action("/admin/tokens/{id}/revocation");
    EXPORT_WORKBOOK = Endpoint::page("/admin/events/{slug}/bookings.xlsx").part();
    TERMS = Endpoint::form("/admin/events/{slug}/terms");

    // For monitoring
    HEALTH = Endpoint::page("/healthz").monitoring();
    READINESS = Endpoint::page("/readyz").monitoring();
    METRICS = Endpoint::page("/metrics").monitoring();
}

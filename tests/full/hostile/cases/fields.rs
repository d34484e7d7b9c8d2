//! Injection attacks on databases, browsers, templates, shells, mails and spreadsheets, in every field of every form.

use crate::hostile::case::Case;
use crate::hostile::stage::{FORM, Stage, encoded};

pub fn cases(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    // The server checks only a few passwords at a time; a sign-in gets 503 when too many wait.
    for attack in ATTACKS {
        let text = encoded(attack);
        // If a text contains exactly one email address, the server accepts that address.
        let as_email = if attack.contains("injected@example.org") { "booked" } else { "422" };
        for (field, expected) in [
            ("ticket_type", "404"),
            ("quantity", "422"),
            ("name", "booked|422"),
            ("email", as_email),
            ("request_key", "422"),
        ] {
            let form = stage.form_with(&[(field, &text)]);
            cases.push(Case::post(format!("{field}={attack:?}"), "/bookings", form, expected));
        }
        let email = encoded(&format!("{attack}@example.org"));
        let form = stage.form_with(&[("email", &email)]);
        cases.push(Case::post(format!("the mailbox {attack:?}"), "/bookings", form, "booked|422"));
        let form = format!("username={text}&password={text}");
        cases.push(Case::post(format!("sign-in as {attack:?}"), "/admin/sign-in", form, "422|429|503"));
        for (page, form) in [
            ("/admin/reseed", format!("event_name={text}")),
            ("/admin/account", format!("session={text}&password={text}")),
            (
                "/admin/password",
                format!("current_password={text}&new_password={text}&repeated_password={text}"),
            ),
        ] {
            cases.push(Case::post(format!("{page} for {attack:?}, by nobody"), page, &form, "303"));
            let headers = format!("{FORM}Cookie: {}\r\n", stage.session);
            let name = format!("{page} for {attack:?}, by the organizer");
            cases.push(Case::body(name, page, &headers, &form, "422|429|503"));
        }
        let path = format!("/admin/audit-log?action={text}&page={text}");
        let line = format!("Cookie: {}\r\n", stage.session);
        let name = format!("the audit log of {attack:?}");
        cases.push(Case::headers(name, &path, line, "200|404|422"));
    }
    let honeypot = stage.form() + "&remarks=x";
    cases.push(Case::post("a form with its honeypot filled in", "/bookings", honeypot, "422"));
    let script = encoded("<script>alert(1)</script>");
    let (shown, quoted) = ("&#60;script&#62;alert(1)&#60;/script&#62;", "&#34; onfocus=alert(1) x=&#34;");
    for field in ["name", "email", "quantity"] {
        // Another field is invalid, so that the form is shown again.
        let form = stage.form_with(&[(field, &script), ("request_key", "x")]);
        cases.push(
            Case::post(format!("a script is shown in {field}"), "/bookings", form, "422").showing(shown),
        );
        let text = encoded("\" onfocus=alert(1) x=\"");
        let form = stage.form_with(&[(field, &text), ("request_key", "x")]);
        cases.push(
            Case::post(format!("a quote is shown in {field}"), "/bookings", form, "422").showing(quoted),
        );
    }
    // A name must not contain a slash, so this one has none.
    let form = stage.form_with(&[("name", &encoded("<script>alert(1)<script>"))]);
    let shown_open = "&#60;script&#62;alert(1)&#60;script&#62;";
    cases.push(
        Case::post("a script is shown in the confirmation", "/bookings", form, "booked").showing(shown_open),
    );
    let form = format!("username={script}&password=x");
    cases.push(
        Case::post("a script is shown at sign-in", "/admin/sign-in", form, "422|429|503").showing(shown),
    );
    cases
}

const ATTACKS: [&str; 27] = [
    // Databases.
    "'",
    "' OR '1'='1",
    "admin'--",
    "'; DROP TABLE bookings; --",
    "1; UPDATE ticket_types SET available = 0",
    "' UNION SELECT value, name FROM secrets --",
    "\\'; SELECT pg_sleep(10); --",
    "'||(SELECT randomblob(1000000000))||'",
    "$$;COPY bookings TO PROGRAM 'id';$$",
    // Browsers.
    "<script>alert(1)</script>",
    "\" onfocus=alert(1) autofocus x=\"",
    "' onfocus=alert(1) x='",
    "</textarea></title><svg/onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<b>injected",
    "javascript:alert(1)",
    "<!--#exec cmd=\"id\"-->",
    "]]><x/><![CDATA[",
    // Templates and shells.
    "{{7*7}}{% raw %}${7*7}#{7*7}<%= 7*7 %>",
    "$(id) `id` | id && id",
    "${jndi:ldap://localhost/a}",
    "%s%n%x%p",
    "../../../../etc/passwd",
    // Mails, headers, spreadsheets.
    "Ada\r\nBcc: injected@example.org",
    "x\r\nSet-Cookie: injected=1\r\n\r\n<script>alert(1)</script>",
    "=HYPERLINK(\"https://localhost\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
];

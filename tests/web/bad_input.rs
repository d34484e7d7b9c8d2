//! Forms with invalid input.

use crate::support::{TestApp, header};

struct Case {
    field: &'static str,
    value: String,
    status: u16,
    message: &'static str,
}

fn cases() -> Vec<Case> {
    let case = |field, value: &str, status, message| Case { field, value: value.into(), status, message };
    vec![
        case("quantity", "0", 422, "at least 1 ticket"),
        case("quantity", "11", 422, "up to 10 tickets"),
        case("quantity", "-1", 422, "Choose 1 to 10"),
        case("quantity", "1.5", 422, "Choose 1 to 10"),
        case("quantity", "abc", 422, "Choose 1 to 10"),
        case("quantity", "", 422, "Choose 1 to 10"),
        case("quantity", "99999999999999999999", 422, "up to 10 tickets"),
        case("name", "", 422, "Enter your name"),
        case("name", "   ", 422, "Enter your name"),
        case("name", "…", 422, "at least one letter"),
        case("name", &"x".repeat(101), 422, "100 characters or fewer"),
        case("name", "a\u{202e}b", 422, "invisible characters"),
        case("email", "", 422, "Enter the email address"),
        case("email", "ada", 422, "Enter a valid email address"),
        case("email", "ada@", 422, "Enter a valid email address"),
        case("email", "ada@localhost", 422, "Enter a valid email address"),
        case("email", "ada@example.org\r\nbcc: eve@example.org", 422, "Enter a valid email address"),
        case("request_key", "", 422, "This page expired"),
        case("request_key", "not-one-of-ours", 422, "This page expired"),
        case("request_key", &"A".repeat(48), 422, "This page expired"),
        case("ticket_type", "999999", 404, "find this page"),
        case("ticket_type", "vip", 404, "find this page"),
        case("ticket_type", "", 404, "find this page"),
        case("ticket_type", "99999999999999999999", 404, "find this page"),
        case("ticket_type", "+1", 404, "find this page"),
        case("name", "Ada\u{e000}", 422, "invisible characters"),
        case("name", &format!("Z{}", "\u{337}".repeat(9)), 422, "too many accents"),
        case("name", "\u{200d}\u{200c}", 422, "Enter your name"),
        case("name", "Ada\u{3164}", 422, "invisible characters"),
        case("name", "Ada\u{e0041}", 422, "invisible characters"),
        case("email", "zoë@example.org", 422, "Enter a valid email address, without “ë”"),
        case("email", "ada@exam\u{202e}ple.org", 422, "without the invisible character U+202E"),
        case("email", "ada lovelace@example.org", 422, "without a space"),
        case("email", "ada@example.org, eve@example.org", 422, "one address, with one @"),
        case("email", "Ada lovelace@example.org", 422, "without a space"),
        case("email", "ada@example.co m", 422, "without a space"),
        case("email", "'ada'@example.org", 422, "without “"),
        case("email", "ada@exampl℮.org", 422, "without “℮”"),
        case("email", "ada@example.org_x", 422, "without “_”"),
        case("name", "ــــ", 422, "at least one letter"),
        case("name", "²", 422, "at least one letter"),
        case("name", "①", 422, "at least one letter"),
        case("name", "ª", 422, "at least one letter"),
        case("name", "1", 422, "at least one letter"),
        case("name", "8\u{fe0f}", 422, "at least one letter"),
    ]
}

#[test]
fn wrong_input_is_named_at_its_field_and_kept() {
    let app = TestApp::spawn();
    for fragment in [false, true] {
        for Case { field, value, status, message } in cases() {
            let checkout = app.open_checkout("VIP", 2);
            let mut form = [
                ("ticket_type", checkout.ticket_type.as_str()),
                ("quantity", "2"),
                ("name", "Grace Hopper"),
                ("email", "grace@example.org"),
                ("request_key", &checkout.request_key),
            ];
            form.iter_mut().find(|(name, _)| *name == field).expect("a field").1 = &value;
            let mut post = app.client.post(app.url("/bookings")).form(&form);
            if fragment {
                post = post.header("HX-Request", "true");
            }
            let response = post.send().expect("an answer");
            let what = format!("{field}={value:?}, fragment: {fragment}");
            assert_eq!(response.status(), status, "{what}");
            let html = response.text().expect("a page");
            assert!(html.contains(message), "{what}: {html}");
            if status == 422 {
                assert_eq!(html.contains("<html"), !fragment, "{what}");
                assert!(field == "name" || html.contains("value=\"Grace Hopper\""), "{what}");
                assert!(field == "email" || html.contains("value=\"grace@example.org\""), "{what}");
            }
            if ["quantity", "name", "email"].contains(&field) {
                let id = match field {
                    "quantity" => format!("checkout-quantity-{}-error", checkout.ticket_type),
                    _ => format!("checkout-{field}-error"),
                };
                let is_marked = html.contains(&format!("aria-describedby=\"{id}\""));
                assert!(is_marked && html.contains(&format!("id=\"{id}\"")), "{what}");
            }
        }
    }
    assert!(app.database.tiers().iter().all(|tier| tier.sold == 0), "nothing was booked");
}

#[test]
fn names_of_every_script_and_wrapped_addresses_book() {
    let app = TestApp::spawn();
    for (name, email, shown) in [
        ("علی\u{200c}رضا", "\u{202a}ada@example.org\u{202c}", "علی\u{200c}رضا"),
        ("ශ\u{dca}\u{200d}රී\u{200f}", "ada\u{ff20}example\u{ff0e}org", "ශ\u{dca}\u{200d}රී"),
        ("क\u{94d}\u{200d}षिति", "mailto:ada@example.org", "क\u{94d}\u{200d}षिति"),
        ("\u{feff}O’Brien ❤\u{fe0f}", "Ada <ada@example.org>,", "O’Brien ❤\u{fe0f}"),
        ("สมชาย\u{200b}ใจดี", "ada@example.org،", "สมชาย ใจดี"),
        ("សុខ\u{200b}សាន្ត", "mailto://ada@example.org", "សុខ សាន្ត"),
        ("של\u{200e}ום", "mailto:ada%40example.org", "שלום"),
        ("Ada\u{2060}\u{34f}Ada", "=ada@example.org", "AdaAda"),
        ("Ada", "ada@example.org (Ada Lovelace)", "Ada"),
        ("Ada", "Ada Lovelace ada@example.org", "Ada"),
        ("Ada", "<ada@example.org> Ada", "Ada"),
        ("Ada", "[ada@example.org](mailto:ada@example.org)", "Ada"),
        ("Ada", "E-Mail: ada@example.org", "Ada"),
        ("Ada", "「ada@example.org」", "Ada"),
        ("Ada", "→ ada@example.org", "Ada"),
        ("Ada", "ada @example.org", "Ada"),
        ("Ada", "&lt;ada@example.org&gt;", "Ada"),
    ] {
        let checkout = app.open_checkout("General Admission", 1);
        let form = checkout.fields(name, email);
        let response = app.post("/bookings", &form);
        assert_eq!(response.status(), 303, "{name:?} {email:?}");
        let page = app.get(header(&response, "location")).text().expect("a page");
        assert!(page.contains(&format!("<dd>{shown}</dd>")), "{page}");
        assert!(page.contains("<dd>ada@example.org</dd>"), "{email}: {page}");
    }
}

#[test]
fn an_address_is_shown_as_what_it_is() {
    let app = TestApp::spawn();
    for (email, shown) in [
        ("mailto:ada%2Btag@example.org", "ada+tag@example.org"),
        ("ada@müller.example", "ada@müller.example"),
        // This domain begins with a Cyrillic letter.
        ("ada@аpple.com", "ada@xn--pple-43d.com"),
    ] {
        let response = app.confirm_for(email, &app.client, &app.open_checkout("VIP", 1), 1);
        assert_eq!(response.status(), 303, "{email}");
        let page = app.get(header(&response, "location")).text().expect("a page");
        assert!(page.contains(&format!("<dd>{shown}</dd>")), "{email}: {page}");
    }
}

#[test]
fn missing_fields_read_as_empty_ones() {
    let app = TestApp::spawn();
    let id = app.tier_id("VIP");
    let response = app.post("/bookings", &[("ticket_type", &id)]);
    assert_eq!(response.status(), 422);
    let html = response.text().expect("a page");
    for message in ["Choose 1 to 10", "Enter your name", "Enter the email address", "This page expired"] {
        assert!(html.contains(message), "{message}");
    }
}

#[test]
fn what_was_typed_is_shown_as_text() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "\"><script>alert(1)</script>"),
        ("name", "<b>Ada</b>"),
        ("email", "\"><img src=x>"),
    ];
    let html = app.post("/bookings", &form).text().expect("a page");
    assert!(
        !html.contains("<script>alert") && !html.contains("<b>Ada") && !html.contains("<img src=x"),
        "{html}"
    );
}

#[test]
fn a_quantity_out_of_range_is_told_when_the_checkout_opens() {
    let app = TestApp::spawn();
    let id = app.tier_id("VIP");
    for quantity in ["0", "11", "abc", "99999999999999999999"] {
        let response = app.get(&format!("/bookings/new?ticket_type={id}&quantity={quantity}"));
        assert_eq!(response.status(), 422, "{quantity}");
        assert!(response.text().expect("a page").contains(&format!("checkout-quantity-{id}-error")));
    }
    assert_eq!(app.get("/bookings/new?ticket_type=999999").status(), 404);
    assert_eq!(app.get("/bookings/new").status(), 404);
}

#[test]
fn bodies_that_are_no_form_are_refused() {
    let app = TestApp::spawn();
    let post = |content_type: &str, body: String| {
        let request = app.client.post(app.url("/bookings")).header("content-type", content_type).body(body);
        request.send().expect("an answer").status().as_u16()
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(post(form, format!("name={}", "x".repeat(1024 * 1024))), 413);
    assert_eq!(post("application/json", "{}".into()), 415);
    assert_eq!(post(form, "name=a&name=b".into()), 422, "one field twice");
}

#[test]
fn wrong_methods_are_told_the_right_ones() {
    let app = TestApp::spawn();
    let response = app.client.delete(app.url("/bookings")).send().expect("an answer");
    assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "GET, HEAD, POST"));
    let response = app.post("/", &[]);
    assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "GET, HEAD"));
    let head = app.client.head(app.url("/")).send().expect("an answer");
    assert_eq!(head.status(), 200);
}

//! Pages of other origins call the API in a real browser, because the browser enforces CORS.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::support::{Site, Visitor};

/// A client of the compat API as its users write it: plain fetch, and nothing specific to this server.
const CLIENT: &str = r##"<!DOCTYPE html>
<html lang="en"><title>Partner</title>
<ul id="tickets"></ul>
<label>Tickets <input id="quantity" value="2"></label>
<button id="book">Book VIP</button>
<p id="message"></p>
<script>
const api = new URLSearchParams(location.search).get("api");
const show = text => { document.querySelector("#message").textContent = text; };
let vip;
async function refresh() {
  const tickets = await (await fetch(`${api}/api/tickets`)).json();
  vip = tickets.find(ticket => ticket.name === "VIP").id;
  document.querySelector("#tickets").innerHTML = tickets
    .map(it => `<li>${it.name}: $${it.price}, ${it.available} of ${it.quantity}</li>`).join("");
}
async function book() {
  const response = await fetch(`${api}/api/bookings`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      ticketTypeId: vip, quantity: Number(document.querySelector("#quantity").value), userId: "user-1",
    }),
  });
  const answer = await response.json();
  show(answer.success ? `${answer.message} (${answer.booking.quantity})` : `Refused: ${answer.error}`);
  await refresh();
}
const failed = error => show(`Failed: ${error.name}`);
document.querySelector("#book").addEventListener("click", () => book().catch(failed));
refresh().catch(failed);
</script></html>"##;

/// Serves another site's page at an origin of its own, until the tests end.
fn partner() -> &'static str {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a browser");
            thread::spawn(move || {
                let mut request = [0; 8192];
                let _ = stream.read(&mut request);
                let length = CLIENT.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
                     connection: close\r\n\r\n{CLIENT}"
                );
            });
        }
    });
    origin.leak()
}

fn open_site(origins: &'static str) -> Site {
    let settings = [("POLL_SECONDS_BUSY", "5"), ("CORS_ORIGINS", origins), ("RATE_LIMITS", "on")];
    Site::open_with(testkit::binary(), &settings)
}

async fn open_client(site: &Site, origin: &str) -> Visitor {
    let visitor = Visitor::new(site).await;
    let url = format!("{origin}/?api={}", site.url(""));
    visitor.driver().goto(&url).await.expect("the partner's page");
    visitor
}

/// Runs a script in the page, and returns its result.
async fn run(visitor: &Visitor, script: &str) -> String {
    let script = format!("return (async () => {{ {script} }})().catch(error => 'Failed: ' + error.name)");
    visitor.run(&script).await
}

async fn see_text(visitor: &Visitor, css: &str, text: &str) {
    visitor.until(&format!("document.querySelector('{css}').textContent.includes('{text}')")).await;
}

#[tokio::test]
async fn a_client_of_the_compat_api_books_and_refreshes_from_its_own_origin() {
    let partner = partner();
    let site = open_site(partner);
    let visitor = open_client(&site, partner).await;
    see_text(&visitor, "#tickets", "VIP: $100, 100 of 100").await;
    let tickets = visitor.text("#tickets").await;
    assert!(
        tickets.contains("Front Row: $50, 200 of 200") && tickets.contains("$10, 1000 of 1000"),
        "{tickets}"
    );

    visitor.click("#book").await;
    see_text(&visitor, "#message", "Nothing was charged online. (2)").await;
    see_text(&visitor, "#tickets", "VIP: $100, 98 of 100").await;
    visitor.fill("#quantity", "11").await;
    visitor.click("#book").await;
    see_text(&visitor, "#message", "Refused: Only 10 VIP tickets are allowed in one booking").await;
    assert_eq!((site.booking_count(), site.available(&site.tier("VIP"))), (1, 98));
}

/// The newer API needs request headers for which a browser sends a preflight, and has response headers that a browser
/// hides by default.
#[tokio::test]
async fn an_allowed_page_reads_what_it_needs_of_the_newer_api() {
    let partner = partner();
    let site = open_site(partner);
    let visitor = open_client(&site, partner).await;
    let vip = site.tier("VIP").id;
    let book = format!(
        r#"const response = await fetch(api + "/api/v1/bookings", {{ method: "POST",
            headers: {{ "Content-Type": "application/json", "Idempotency-Key": "8e03978e-40d5-43dd-bc93" }},
            body: JSON.stringify({{ ticketTypeId: "{vip}", quantity: 1, name: "Ada", email: "ada@example.org" }}) }});
        const {{ token }} = await response.json();
        return [response.status, response.headers.get("Location") === "/api/v1/bookings/" + token,
            response.headers.has("RateLimit")].join(" ");"#
    );
    assert_eq!(run(&visitor, &book).await, "201 true true");
    assert_eq!(run(&visitor, &book).await, "201 true true");
    assert_eq!(site.booking_count(), 1);
    let refused = r#"const response = await fetch(api + "/api/v1/bookings", { method: "POST",
        headers: { "Content-Type": "application/json" }, body: "{}" });
        return (await response.json()).type"#;
    assert_eq!(run(&visitor, refused).await, "/api/docs#problem-idempotency-key-missing");
    let with_cookies =
        r#"return (await fetch(api + "/api/tickets", { credentials: "include" })).status + """#;
    assert_eq!(run(&visitor, with_cookies).await, "Failed: TypeError", "credentials are never allowed");
    let a_page = r#"return (await fetch(api + "/")).status + """#;
    assert_eq!(run(&visitor, a_page).await, "Failed: TypeError", "the site's pages are not the API");
}

/// Seen to fail when every origin is allowed: the foreign page showed the tickets.
#[tokio::test]
async fn a_foreign_page_reads_nothing_and_books_nothing() {
    let site = open_site(partner());
    let foreign = partner();
    let visitor = open_client(&site, foreign).await;
    see_text(&visitor, "#message", "Failed: TypeError").await;
    let vip = site.tier("VIP").id;
    let body = format!(r#"JSON.stringify({{ ticketTypeId: "{vip}", quantity: 1, userId: "user-1" }})"#);
    let as_the_client_does = format!(
        r#"return (await fetch(api + "/api/bookings", {{ method: "POST",
            headers: {{ "Content-Type": "application/json" }}, body: {body} }})).status + """#
    );
    assert_eq!(run(&visitor, &as_the_client_does).await, "Failed: TypeError");
    // Requests that a browser sends without a preflight: the answer is opaque, and nothing is booked.
    for mode in [r#"mode: "no-cors","#, ""] {
        let unasked = format!(
            r#"await fetch(api + "/api/bookings", {{ method: "POST", {mode} body: {body} }}); return "sent""#
        );
        run(&visitor, &unasked).await;
    }
    assert_eq!(site.booking_count(), 0);
}

//! The dialog: how it opens, what closes it, and where the focus goes then.

use serde_json::json;
use thirtyfour::Key;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Tier, Visitor};

const IS_OPEN: &str = "document.querySelector('dialog[open]')";
const IS_CLOSED: &str = "!document.querySelector('dialog[open]')";

/// A place in the window.
#[derive(Clone, Copy)]
struct Point {
    x: i64,
    y: i64,
}

const BESIDE: Point = Point { x: 12, y: 300 };

async fn middle_of(visitor: &Visitor, css: &str) -> Point {
    let [x, y]: [f64; 2] = visitor
        .ask(&format!(
            "(() => {{ const it = document.querySelector('{css}').getBoundingClientRect();
               return [it.x + it.width / 2, it.y + it.height / 2]; }})()"
        ))
        .await;
    Point { x: x as i64, y: y as i64 }
}

/// Presses the mouse button at `from`, and releases it at `to`.
async fn drag(visitor: &Visitor, from: Point, to: Point) {
    let chain = visitor.driver().action_chain().move_to(from.x, from.y).click_and_hold();
    chain.move_to(to.x, to.y).release().perform().await.expect("the mouse moves");
}

async fn focus_is_on(visitor: &Visitor, css: &str) {
    visitor.until(&format!("document.activeElement?.matches(`{css}`)")).await;
}

fn heading(tier: &Tier) -> String {
    format!("#tier-{} h3", tier.id)
}

#[tokio::test]
async fn only_a_press_that_begins_and_ends_beside_it_closes_it() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;

    // Selects the name with the mouse, and releases the button beside the dialog.
    let field = middle_of(&visitor, "#checkout-name").await;
    drag(&visitor, field, BESIDE).await;
    let (is_open, focused): (bool, String) =
        visitor.ask(&format!("[Boolean({IS_OPEN}), document.activeElement.id]")).await;
    assert_eq!((is_open, focused.as_str()), (true, "checkout-name"));
    drag(&visitor, BESIDE, field).await;
    assert!(visitor.ask::<bool>(&format!("Boolean({IS_OPEN})")).await, "let go inside");
    let typed: String = visitor.ask("document.querySelector('#checkout-name').value").await;
    assert_eq!(typed, NAME);

    drag(&visitor, BESIDE, Point { y: BESIDE.y + 40, ..BESIDE }).await;
    visitor.until(IS_CLOSED).await;
    focus_is_on(&visitor, &vip.book_button()).await;

    // Reopens the dialog: the typed text is still there.
    visitor.open_checkout(&vip).await;
    let typed: [String; 2] = visitor
        .ask("['name', 'email'].map((it) => document.querySelector(`#checkout [name=${it}]`).value)")
        .await;
    assert_eq!(typed, [NAME, EMAIL]);
}

#[tokio::test]
async fn the_focus_goes_back_to_what_opened_it() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    for close in ["Escape", "the cross", "Done"] {
        visitor.open_checkout(&vip).await;
        match close {
            "Escape" => visitor.press(Key::Escape).await,
            "the cross" => visitor.click("#checkout .dialog__close").await,
            _ => {
                visitor.fill_in(NAME, EMAIL).await;
                visitor.click(CONFIRM).await;
                visitor.see(CONFIRMATION).await;
                visitor.close_dialog().await;
            }
        }
        visitor.until(IS_CLOSED).await;
        focus_is_on(&visitor, &vip.book_button()).await;
    }
}

#[tokio::test]
async fn it_goes_to_the_heading_when_what_opened_it_is_gone() {
    let site = open_site();
    let vip = site.tier("VIP");
    site.set_available(&vip, 1);
    let visitor = Visitor::arrive(&site).await;
    visitor
        .until(&format!(
            "document.querySelector('{}').max === '1' || (location.reload(), false)",
            vip.quantity()
        ))
        .await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    visitor.until(&format!("!document.querySelector('{}')", vip.book_button())).await;
    visitor.press(Key::Escape).await;
    visitor.until(IS_CLOSED).await;
    focus_is_on(&visitor, &heading(&vip)).await;
}

#[tokio::test]
async fn it_opens_at_its_top_on_a_small_phone_too() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::new(&site).await;
    visitor.resize(390, 500).await;
    visitor.visit("/").await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    let _: () = visitor.run("document.querySelector('dialog').scrollTop = 10_000").await;
    visitor.close_dialog().await;
    visitor.open_checkout(&vip).await;
    visitor.until("document.querySelector('dialog').scrollTop === 0").await;
    let heading: f64 =
        visitor.ask("document.querySelector('#checkout-title').getBoundingClientRect().top").await;
    assert!(heading > 0.0, "the heading is cut off: {heading}");
}

/// Tests the number fields in the page and in the dialog; there are no others.
#[tokio::test]
async fn a_mouse_wheel_counts_nothing_and_leaves_the_focus() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::new(&site).await;
    visitor.resize(1000, 500).await;
    visitor.visit("/").await;
    assert_that_a_wheel_counts_nothing(&visitor, &vip.quantity()).await;
    visitor.open_checkout(&vip).await;
    assert_that_a_wheel_counts_nothing(&visitor, &vip.checkout_quantity()).await;
}

async fn assert_that_a_wheel_counts_nothing(visitor: &Visitor, field: &str) {
    visitor.fill(field, "3").await;
    let _: () = visitor
        .run(&format!("document.querySelector('{field}').scrollIntoView({{ block: 'center' }})"))
        .await;
    let at = middle_of(visitor, field).await;
    for turn in [40, -40, 40] {
        let wheel = json!({ "type": "mouseWheel", "x": at.x, "y": at.y, "deltaX": 0, "deltaY": turn });
        visitor.cdp("Input.dispatchMouseEvent", wheel).await;
    }
    visitor.until(&format!("!document.querySelector('{field}').readOnly")).await;
    let (value, id): (String, String) = visitor
        .ask(&format!("[document.querySelector('{field}').value, '#' + document.activeElement.id]"))
        .await;
    assert_eq!((value.as_str(), id.as_str()), ("3", field));
    visitor.press(Key::Up).await;
    visitor.until(&format!("document.querySelector('{field}').value === '4'")).await;
}

//! The gate with a scanner: scanners that end a code in different ways, other keyboard layouts, input methods.

use serde_json::json;

use crate::gate::{ENTER, WORD, tickets, until_admitted, until_word};
use crate::open_site;
use crate::support::Visitor;
use crate::tickets::open_gate;

const TAB: char = '\u{e004}';

#[tokio::test]
async fn a_scanner_of_any_habit_is_heard_wherever_the_focus_is() {
    let site = open_site();
    let codes = tickets(&site, 4).await;
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    // The page has lost the focus; the scanner ends a code with two line breaks.
    gate.click("#turnout-heading").await;
    let _: () = gate.run("document.activeElement.blur();").await;
    gate.press(format!("{}{ENTER}{ENTER}", codes[0])).await;
    until_admitted(&gate, "1 of 4").await;
    assert_eq!(gate.ask::<String>(WORD).await, "Admitted");
    // The focus is on a button; the scanner ends a code with Tab.
    let _: () = gate.run("document.querySelector('[data-sound-toggle]').focus();").await;
    gate.press(format!("{}{TAB}", codes[1])).await;
    until_admitted(&gate, "2 of 4").await;
    // The scanner ends a code with Enter and Tab, and the next code follows at once.
    gate.press(format!("{}{ENTER}{TAB}{}{ENTER}{TAB}", codes[2], codes[3])).await;
    until_admitted(&gate, "4 of 4").await;
    assert_eq!(gate.ask::<String>(WORD).await, "Admitted");
    let empty = "document.querySelector('#code').value === ''";
    assert!(gate.ask::<bool>(empty).await);
    // Tab leaves the empty field, for people who use only a keyboard.
    let _: () = gate.run("document.querySelector('#code').focus();").await;
    gate.press(TAB.to_string()).await;
    assert!(gate.ask::<bool>("document.activeElement.id !== 'code'").await);
}

#[tokio::test]
async fn the_keys_tell_what_another_layout_has_made_of_a_code() {
    let site = open_site();
    let codes = tickets(&site, 1).await;
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    gate.click("#code").await;
    // A layout that the server does not know: all keys type the same letter.
    for c in codes[0].chars() {
        press_key(&gate, c, "ჭ", Some("ჭ")).await;
    }
    assert!(gate.ask::<bool>("document.querySelector('#code').value.startsWith('ჭჭჭ')").await);
    gate.press(ENTER.to_string()).await;
    until_word(&gate, "Admitted").await;
}

/// Presses a key as a scanner does: the one that has this character on an American keyboard.
async fn press_key(gate: &Visitor, c: char, key: &str, text: Option<&str>) {
    let code = match c {
        '-' => "Minus".to_owned(),
        digit if digit.is_ascii_digit() => format!("Digit{digit}"),
        letter => format!("Key{letter}"),
    };
    let kind = if text.is_some() { "keyDown" } else { "rawKeyDown" };
    let mut press = json!({ "type": kind, "key": key, "code": code });
    if let Some(text) = text {
        press["text"] = json!(text);
    }
    gate.cdp("Input.dispatchKeyEvent", press).await;
    gate.cdp("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key, "code": code })).await;
}

#[tokio::test]
async fn tab_submits_a_code_garbled_by_another_keyboard_layout() {
    let site = open_site();
    let codes = tickets(&site, 1).await;
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    gate.click("#code").await;
    let azerty = [('A', 'Q'), ('Q', 'A'), ('Z', 'W'), ('W', 'Z'), ('M', '?'), ('-', ')')];
    for c in codes[0].chars() {
        // All digits become signs, so that the field never contains twenty letters or digits.
        let made = azerty.iter().find(|(key, _)| *key == c).map_or(c, |(_, made)| *made);
        let made = if c.is_ascii_digit() { '(' } else { made };
        press_key(&gate, c, &made.to_string(), Some(&made.to_string())).await;
    }
    gate.press(TAB.to_string()).await;
    until_word(&gate, "Admitted").await;
    assert_eq!(gate.ask::<String>("document.activeElement.id").await, "code", "Tab stays in the field");
}

#[tokio::test]
async fn a_scanner_is_heard_while_an_input_method_is_on() {
    let site = open_site();
    let codes = tickets(&site, 2).await;
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    for (count, (code, end)) in codes.iter().zip(["Enter", "Tab"]).enumerate() {
        gate.click("#code").await;
        let mut composed = String::new();
        for c in code.chars() {
            press_key(&gate, c, "Process", None).await;
            composed.push('チ');
            let end = composed.chars().count();
            let composition = json!({ "text": composed, "selectionStart": end, "selectionEnd": end });
            gate.cdp("Input.imeSetComposition", composition).await;
        }
        // The last key only ends the composition.
        let press = json!({ "type": "rawKeyDown", "key": "Process", "code": end });
        gate.cdp("Input.dispatchKeyEvent", press).await;
        gate.cdp("Input.insertText", json!({ "text": composed })).await;
        until_admitted(&gate, &format!("{} of 2", count + 1)).await;
        assert!(gate.ask::<bool>("document.querySelector('#code').value === ''").await);
    }
}

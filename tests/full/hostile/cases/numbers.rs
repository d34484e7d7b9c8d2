//! Texts that are not numbers, and numbers that are too large.

use crate::hostile::case::Case;
use crate::hostile::stage::Stage;

pub fn cases(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for number in NUMBERS {
        let quantity = stage.form_with(&[("quantity", number)]);
        cases.push(Case::post(format!("quantity={number}"), "/bookings", quantity, "422"));
        let tier = stage.form_with(&[("ticket_type", number)]);
        if number == "%2B1" {
            // "+1" is a valid number.
            continue;
        }
        cases.push(Case::post(format!("ticket_type={number}"), "/bookings", tier, "404"));
        let query = format!("/bookings/new?ticket_type={}&quantity={number}", stage.tier);
        cases.push(Case::get(format!("a checkout for {number}"), query, "422"));
        let query = format!("/bookings/new?quantity=1&ticket_type={number}");
        cases.push(Case::get(format!("a checkout of tier {number}"), query, "404"));
    }
    for number in ["01", "0000000000000000000000000000001", "%201%20", "%091", "1.0", "1,0"] {
        let form = stage.form_with(&[("quantity", number)]);
        cases.push(Case::post(format!("quantity={number} is one"), "/bookings", form, "booked"));
    }
    cases
}

const NUMBERS: [&str; 23] = [
    "",
    "0",
    "-0",
    "-1",
    "%2B1",
    "1.5",
    "1,5",
    "1e0",
    "0x1",
    "0b1",
    "1_0",
    "1%000",
    "1%0D%0A0",
    "NaN",
    "Infinity",
    "null",
    "true",
    "%C2%B9",
    "1001",
    "2147483648",
    "4294967297",
    "9223372036854775808",
    "18446744073709551617",
];

//! The table of cases, by target.

mod api;
mod bodies;
mod cookies;
mod cross_site;
mod fields;
mod headers;
mod methods;
mod numbers;
mod paths;
mod request_line;
mod smuggling;
mod text;

use crate::hostile::case::Case;
use crate::hostile::stage::Stage;

pub fn all(stage: &Stage) -> Vec<Case> {
    let mut cases = request_line::cases();
    cases.extend(methods::cases(stage));
    cases.extend(headers::cases());
    cases.extend(paths::cases());
    cases.extend(bodies::cases(stage));
    cases.extend(smuggling::cases(stage));
    cases.extend(fields::cases(stage));
    cases.extend(numbers::cases(stage));
    cases.extend(text::cases(stage));
    cases.extend(cookies::cases(stage));
    cases.extend(cross_site::cases(stage));
    cases.extend(api::cases(stage));
    cases
}

//! `/api/docs`: the OpenAPI document as a page, rendered on the server.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;
use serde_json::Value;

use super::documented_types::{Field, Shape, Type, each, shown, text};
use super::examples;
use super::openapi::{self, COMMON_ERRORS};
use super::problem::ProblemType;
use crate::app::App;
use crate::error::Error;
use crate::events::sharing::SharedPage;
use crate::guard::GuardSettings;
use crate::guard::api_tokens::ApiBookings;
use crate::page::Page;

#[derive(Template)]
#[template(path = "api/docs.html")]
struct Docs<'a> {
    page: Page,
    reference: &'static Reference,
    problems: [ProblemType; ProblemType::ALL.len()],
    public_url: &'a str,
    api_bookings: ApiBookings,
    shared: SharedPage,
}

/// The document, in reading order.
struct Reference {
    description: String,
    chapters: Vec<Chapter>,
    common_errors: Vec<CommonError>,
    types: Vec<Type>,
}

/// An error that every operation may answer with.
struct CommonError {
    status: String,
    description: String,
    /// Whether only operations that write may answer with it.
    of_writes: bool,
}

struct Chapter {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    /// `createBooking`
    id: String,
    method: String,
    path: String,
    summary: String,
    parameters: Vec<Field>,
    /// The type of the body.
    body: Option<String>,
    /// Without those that all operations have.
    responses: Vec<DocsResponse>,
    /// The `curl` command before and after the site's address.
    request: (String, String),
    /// Whether it makes a booking, which may need a token.
    books: bool,
    /// The body of the response when all goes well.
    example: Option<String>,
    /// The type of that body, if it has a name.
    answers: Option<String>,
    /// The operation that shows the same example, if one before it does: its id, method and path.
    same: Option<(String, String, String)>,
}

struct DocsResponse {
    status: String,
    description: String,
    shape: Option<Shape>,
}

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| Reference::of(&serde_json::from_str(openapi::json()).unwrap_or_default()));

/// `GET /api/docs`
pub async fn show(
    page: Page,
    app: web::Data<App>,
    settings: web::Data<GuardSettings>,
) -> Result<HttpResponse, Error> {
    let docs = Docs {
        page: page.clone(),
        reference: &REFERENCE,
        problems: ProblemType::ALL,
        public_url: &app.public_url,
        api_bookings: settings.api_bookings,
        shared: SharedPage::new(
            &app.public_url,
            "/api/docs",
            "API reference",
            "JSON API for concert tickets: list concerts, read live availability, book and cancel.",
        ),
    };
    page.respond(StatusCode::OK, &docs)
}

impl Reference {
    fn of(document: &Value) -> Self {
        let mut chapters: Vec<_> = each(&document["tags"])
            .map(|tag| Chapter {
                name: text(&tag["name"]),
                description: text(&tag["description"]),
                operations: operations(document, &tag["name"]),
            })
            .collect();
        show_examples_once(&mut chapters);
        let types = document["components"]["schemas"].as_object().into_iter().flatten();
        Self {
            description: text(&document["info"]["description"]),
            chapters,
            common_errors: COMMON_ERRORS.map(CommonError::of).into(),
            types: types.map(|(name, schema)| Type::of(document, name, schema)).collect(),
        }
    }
}

/// Most operations of a concert answer with the concert: the first of them shows it.
fn show_examples_once(chapters: &mut [Chapter]) {
    let mut shown: HashMap<String, (String, String, String)> = HashMap::new();
    for operation in chapters.iter_mut().flat_map(|chapter| &mut chapter.operations) {
        let Some(name) = operation.answers.clone() else { continue };
        if let Some(first) = shown.get(&name) {
            (operation.same, operation.example) = (Some(first.clone()), None);
        } else {
            let Operation { id, method, path, .. } = operation;
            shown.insert(name, (id.clone(), method.clone(), path.clone()));
        }
    }
}

fn operations(document: &Value, tag: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path, method, operation))
    });
    all.filter(|(.., operation)| each(&operation["tags"]).any(|its| its == tag))
        .map(|(path, method, operation)| Operation::of(document, path, method, operation))
        .collect()
}

impl Operation {
    fn of(document: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let summary = text(&operation["summary"]);
        // Without the method and path, which are in the heading.
        let summary = summary.split_once(": ").map_or(String::new(), |(_, rest)| sentence(rest));
        let parameters = each(&operation["parameters"]).map(|it| Field {
            name: text(&it["name"]),
            place: text(&it["in"]),
            shape: Shape::of(&it["schema"]),
            is_required: it["required"] == true,
            description: text(&it["description"]),
            example: it.get("example").map(shown),
        });
        let responses = operation["responses"].as_object().into_iter().flatten();
        let is_common = |response: &DocsResponse| {
            COMMON_ERRORS
                .map(CommonError::of)
                .iter()
                .any(|it| (&it.status, &it.description) == (&response.status, &response.description))
        };
        let request = examples::curl(document, path, method, operation);
        let (before, behind) = request.split_once("{}").unwrap_or_default();
        let example = responses.clone().find(|(status, _)| status.starts_with('2'));
        let example = example.and_then(|(_, response)| schema_of(response));
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary,
            parameters: parameters.collect(),
            body: schema_of(&operation["requestBody"]).and_then(|schema| Shape::of(schema).link),
            responses: responses
                .map(|(status, response)| DocsResponse::of(status, response))
                .filter(|response| !is_common(response))
                .collect(),
            request: (before.to_owned(), behind.to_owned()),
            books: method == "post" && path.ends_with("/bookings"),
            example: example.map(|schema| examples::json(document, schema)),
            answers: example.and_then(|schema| Shape::of(schema).link),
            same: None,
        }
    }
}

impl CommonError {
    fn of((status, description, of_writes): (&str, &str, bool)) -> Self {
        Self { status: shown_status(status), description: description.replace('`', ""), of_writes }
    }
}

fn shown_status(status: &str) -> String {
    if status == "default" { "Other".to_owned() } else { status.to_owned() }
}

impl DocsResponse {
    fn of(status: &str, response: &Value) -> Self {
        Self {
            status: shown_status(status),
            description: text(&response["description"]),
            shape: schema_of(response).map(Shape::of),
        }
    }
}

/// The schema of a body or a response. Each has one content type at most.
fn schema_of(holder: &Value) -> Option<&Value> {
    holder["content"].as_object()?.values().next().map(|content| &content["schema"])
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

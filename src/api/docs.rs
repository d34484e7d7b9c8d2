//! `/api/docs`: the OpenAPI document as a page, rendered on the server.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;
use serde_json::Value;

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
    of_posts: bool,
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
    /// The `curl` command before and behind the site's address.
    request: (String, String),
    /// Whether it makes a booking, which may need a token.
    books: bool,
    /// The body of the response when all goes well.
    example: Option<String>,
}

/// A parameter, or a field of a type.
struct Field {
    name: String,
    /// For a parameter: path, query or header.
    place: String,
    shape: Shape,
    is_required: bool,
    description: String,
    example: Option<String>,
}

/// The type of a value; a link if it is a type of this document.
struct Shape {
    text: String,
    link: Option<String>,
}

struct DocsResponse {
    status: String,
    description: String,
    shape: Option<Shape>,
}

struct Type {
    name: String,
    description: String,
    fields: Vec<Field>,
    /// The possible values, if it is not an object.
    values: Vec<String>,
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
        let chapters = each(&document["tags"]).map(|tag| Chapter {
            name: text(&tag["name"]),
            description: text(&tag["description"]),
            operations: operations(document, &tag["name"]),
        });
        let types = document["components"]["schemas"].as_object().into_iter().flatten();
        Self {
            description: text(&document["info"]["description"]),
            chapters: chapters.collect(),
            common_errors: COMMON_ERRORS.map(CommonError::of).into(),
            types: types.map(|(name, schema)| Type::of(name, schema)).collect(),
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
        }
    }
}

impl CommonError {
    fn of((status, description, of_posts): (&str, &str, bool)) -> Self {
        Self { status: shown_status(status), description: description.replace('`', ""), of_posts }
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

impl Type {
    fn of(name: &str, schema: &Value) -> Self {
        let required: Vec<&Value> = each(&schema["required"]).collect();
        let fields = schema["properties"].as_object().into_iter().flatten().map(|(name, field)| Field {
            name: name.clone(),
            place: String::new(),
            shape: Shape::of(field),
            is_required: required.iter().any(|it| *it == name),
            description: text(&field["description"]),
            example: field.get("example").map(shown),
        });
        let values = each(&schema["enum"]).map(shown);
        let one_of = each(&schema["oneOf"]).map(|it| Shape::of(it).text);
        Self {
            name: name.to_owned(),
            description: text(&schema["description"]),
            fields: fields.collect(),
            values: values.chain(one_of).collect(),
        }
    }
}

impl Shape {
    fn of(schema: &Value) -> Self {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
            return Self { text: name.clone(), link: Some(name) };
        }
        if schema["type"] == "array" {
            let Self { text, link } = Self::of(&schema["items"]);
            return Self { text: format!("list of {text}"), link };
        }
        let types = match &schema["type"] {
            Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(" or "),
            one => text(one),
        };
        let bound = |name: &str, word: &str| schema.get(name).map(|it| format!(", {word} {it}"));
        let bounds = [
            schema["format"].as_str().filter(|it| !it.starts_with("int")).map(|format| format!(", {format}")),
            bound("minimum", "at least"),
            bound("maximum", "at most"),
            bound("minLength", "no shorter than"),
            bound("maxLength", "no longer than"),
        ];
        let bounds: String = bounds.into_iter().flatten().collect();
        Self { text: format!("{types}{bounds}"), link: None }
    }
}

/// The schema of a body or a response. Each has one content type at most.
fn schema_of(holder: &Value) -> Option<&Value> {
    holder["content"].as_object()?.values().next().map(|content| &content["schema"])
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Without backticks, which are meant for readers of the document itself.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('`', "")
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

//! Requests and responses to copy, made from the OpenAPI document: each value is the schema's example, or one of
//! its type.

use serde_json::{Map, Value};

/// How deep schemas may be nested.
const DEPTH_MAX: usize = 24;
/// A text whose schema has no example.
const UNKNOWN: &str = "…";

/// An example of a schema, as indented JSON.
#[must_use]
pub fn json(document: &Value, schema: &Value) -> String {
    serde_json::to_string_pretty(&value(document, schema, 0)).unwrap_or_default()
}

/// The `curl` command of an operation, with `{}` in place of the site's address.
#[must_use]
pub fn curl(document: &Value, path: &str, method: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let mut path = path.to_owned();
    let mut arguments = String::new();
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap_or_default();
        let example = text(&value(document, parameter, 0));
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
            Some("header") if parameter["required"] == true => {
                arguments += &format!(" \\\n  -H {}", quoted(&format!("{name}: {example}")));
            }
            _ => {}
        }
    }
    let content = operation["requestBody"]["content"].as_object();
    if let Some((kind, body)) = content.and_then(|content| content.iter().next()) {
        let example = value(document, &body["schema"], 0);
        arguments += &format!(" \\\n  -H {}", quoted(&format!("Content-Type: {kind}")));
        arguments += &match kind.starts_with("image/") {
            true => " \\\n  -T picture.jpg".to_owned(),
            false => format!(" \\\n  -d {}", quoted(&example.to_string())),
        };
    }
    // `curl` posts a request with `-d` by itself, and puts a file with `-T`.
    let method = match (method, content.is_some()) {
        ("get", _) | ("post" | "put", true) => String::new(),
        (method, _) => format!(" -X {}", method.to_uppercase()),
    };
    format!("{method} {{}}{path}{arguments}")
}

fn value(document: &Value, schema: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|link| link.rsplit('/').next()) {
        return value(document, &document["components"]["schemas"][name], depth + 1);
    }
    if let Some(inner) = schema.get("schema") {
        return value(document, inner, depth + 1);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        // The parts form one object. A part that may be null is left out, because not every client gets it.
        let parts = parts.iter().filter(|part| !may_be_null(part));
        let fields = parts.filter_map(|part| value(document, part, depth + 1).as_object().cloned());
        return Value::Object(fields.flatten().collect());
    }
    let choices = ["oneOf", "anyOf"].into_iter().find_map(|name| schema[name].as_array());
    if let Some(choices) = choices {
        let of_something = choices.iter().find(|choice| choice["type"] != "null");
        return of_something.map_or(Value::Null, |choice| value(document, choice, depth + 1));
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    match type_of(schema) {
        "object" => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields = fields.map(|(name, field)| match value(document, field, depth + 1) {
                Value::String(text) if text == UNKNOWN => (name.clone(), in_field(name).into()),
                known => (name.clone(), known),
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        "array" => Value::Array(vec![value(document, &schema["items"], depth + 1)]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        "boolean" => true.into(),
        "string" => match schema["format"].as_str() {
            Some("date-time") => "2027-06-20T01:00:00.000Z".into(),
            Some("uri") => "https://tickets.example.org/".into(),
            _ => UNKNOWN.into(),
        },
        _ => Value::Null,
    }
}

/// The example for a field of that name.
fn in_field(name: &str) -> &str {
    match name {
        "accessibility" => "Step-free entrance at the side door",
        "address" => "12 River Street",
        "alt" => "Lanterns above a crowd",
        "city" => "Chicago",
        "description" => "Doors open at **seven**.",
        "organizerContact" => "tickets@example.org",
        "organizerName" => "The Foundry",
        "tagline" => "One city, one night, every light on",
        "venue" => "The Foundry Hall",
        _ => UNKNOWN,
    }
}

/// Whether one of its choices is null.
#[must_use]
pub fn may_be_null(schema: &Value) -> bool {
    schema["oneOf"].as_array().is_some_and(|choices| choices.iter().any(|choice| choice["type"] == "null"))
}

/// The first of its types that is not null.
fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(all) => {
            all.iter().filter_map(Value::as_str).find(|it| *it != "null").unwrap_or_default()
        }
        one => one.as_str().unwrap_or_default(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

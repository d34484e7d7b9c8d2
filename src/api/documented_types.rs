//! The types of the OpenAPI document as the API reference shows them.

use serde_json::Value;

use super::examples;

/// A parameter, or a field of a type.
pub(super) struct Field {
    pub(super) name: String,
    /// For a parameter: path, query or header.
    pub(super) place: String,
    pub(super) shape: Shape,
    pub(super) is_required: bool,
    pub(super) description: String,
    pub(super) example: Option<String>,
}

/// The type of a value; a link if it is a type of this document.
#[derive(Default)]
pub(super) struct Shape {
    pub(super) text: String,
    pub(super) link: Option<String>,
}

pub(super) struct Type {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) fields: Vec<Field>,
    /// The possible values, if it is not an object.
    pub(super) values: Vec<String>,
}

impl Type {
    pub(super) fn of(document: &Value, name: &str, schema: &Value) -> Self {
        let values = each(&schema["enum"]).map(shown);
        let one_of = each(&schema["oneOf"]).map(|it| Shape::of(it).text);
        Self {
            name: name.to_owned(),
            description: text(&schema["description"]),
            fields: Self::fields(document, schema, true),
            values: values.chain(one_of).collect(),
        }
    }

    /// The fields of a type, also of one that is composed of others. `is_there`: whether these fields are
    /// always present.
    fn fields(document: &Value, schema: &Value, is_there: bool) -> Vec<Field> {
        if let Some(name) = schema["$ref"].as_str().and_then(|link| link.rsplit('/').next()) {
            return Self::fields(document, &document["components"]["schemas"][name], is_there);
        }
        let required: Vec<&Value> = each(&schema["required"]).collect();
        let own = schema["properties"].as_object().into_iter().flatten().map(|(name, field)| Field {
            name: name.clone(),
            place: String::new(),
            shape: Shape::of(field),
            is_required: is_there && required.iter().any(|it| *it == name),
            description: text(&field["description"]),
            example: field.get("example").map(shown),
        });
        let mut parts: Vec<&Value> = each(&schema["allOf"]).collect();
        parts.sort_by_key(|part| examples::may_be_null(part));
        let of_parts = parts.into_iter().flat_map(|part| match examples::may_be_null(part) {
            true => each(&part["oneOf"]).flat_map(|it| Self::fields(document, it, false)).collect(),
            false => Self::fields(document, part, is_there),
        });
        own.chain(of_parts).collect()
    }
}

impl Shape {
    pub(super) fn of(schema: &Value) -> Self {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
            return Self { text: name.clone(), link: Some(name) };
        }
        if examples::may_be_null(schema) {
            let choice = each(&schema["oneOf"]).find(|choice| choice["type"] != "null");
            let Self { text, link } = choice.map(Self::of).unwrap_or_default();
            return Self { text: format!("{text} or null"), link };
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

pub(super) fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Without backticks, which are meant for readers of the document itself.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('`', "")
}

pub(super) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

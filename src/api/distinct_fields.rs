//! JSON in which no object has two fields of the same name, at any depth.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads any JSON and keeps nothing of it. Two fields of the same name in one object are an error.
pub(super) struct DistinctFields;

impl<'de> Deserialize<'de> for DistinctFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = DistinctFields;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<DistinctFields, E> {
        Ok(DistinctFields)
    }

    fn visit_i64<E>(self, _: i64) -> Result<DistinctFields, E> {
        Ok(DistinctFields)
    }

    fn visit_u64<E>(self, _: u64) -> Result<DistinctFields, E> {
        Ok(DistinctFields)
    }

    fn visit_f64<E>(self, _: f64) -> Result<DistinctFields, E> {
        Ok(DistinctFields)
    }

    fn visit_str<E>(self, _: &str) -> Result<DistinctFields, E> {
        Ok(DistinctFields)
    }

    fn visit_unit<E>(self) -> Result<DistinctFields, E> {
        Ok(DistinctFields)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<DistinctFields, A::Error> {
        while items.next_element::<DistinctFields>()?.is_some() {}
        Ok(DistinctFields)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<DistinctFields, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, DistinctFields)) = fields.next_entry::<String, DistinctFields>()? {
            if !names.insert(name) {
                // Without the name: errors repeat nothing of what was sent.
                return Err(A::Error::custom("a repeated field"));
            }
        }
        Ok(DistinctFields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_field_is_found_at_any_depth() {
        let read = |text: &str| serde_json::from_str::<DistinctFields>(text).is_ok();
        for good in [r#"{}"#, r#"{"a": [1, -1, 1.5, "x", null, true, {"a": 1}], "b": {"a": 2}}"#, "[]"] {
            assert!(read(good), "{good}");
        }
        for bad in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"b": [{"a": 1, "a": 2}]}"#,
            r#"{"b": {"c": {"a": 1, "a": 2}}}"#,
            "{",
        ] {
            assert!(!read(bad), "{bad}");
        }
    }
}

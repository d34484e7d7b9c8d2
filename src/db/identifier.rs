//! Names of tables, schemas, roles and databases in SQL.

/// A name in quotes, so that SQL takes it as it is. `pg_dump` also takes a quoted name as it is, and not as a pattern.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_a_name_are_doubled() {
        assert_eq!(quoted("site"), "\"site\"");
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }
}

//! Checks the rule of `docs/releases.md` for migrations, as far as their text shows it: servers of the previous
//! release keep working on the new schema. A statement that could break them needs a comment inside it or right above
//! it. The comment begins with `Release before:` and says why the statement breaks nothing. Or it begins with
//! `Contract:`, because the statement is the second half of a change; then the migration must raise the floor.

use std::collections::BTreeSet;
use std::fs;

/// The first release contains all migrations up to this one, so they cannot break an earlier release.
const OF_FIRST_RELEASE: &str = "2026-11-28-000001_ticket_office";

#[derive(Debug)]
struct Statement {
    /// Without comments, in upper case, with single spaces.
    words: String,
    comments: String,
}

/// The statements of a migration. Text in quotes or between `$$` does not end a statement.
fn statements(sql: &str) -> Vec<Statement> {
    let mut all = Vec::new();
    let (mut code, mut comments) = (String::new(), String::new());
    // The delimiter that ends the current quotation.
    let mut quote: Option<&str> = None;
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let opened = ["'", "\"", "$$"].into_iter().find(|it| rest.starts_with(it));
        if quote.is_none() && rest.starts_with("--") {
            let line = rest.lines().next().expect("it begins with --");
            comments.push_str(line.trim_start_matches('-'));
            rest = &rest[line.len()..];
            continue;
        }
        let is_body =
            quote.is_none() && code.to_uppercase().contains("CREATE TRIGGER") && code.contains("BEGIN");
        let is_end = quote.is_none() && c == ';' && (!is_body || code.trim_end().ends_with("END"));
        let taken = opened.map_or(c.len_utf8(), str::len);
        match (quote, opened) {
            (Some(end), Some(it)) if end == it => quote = None,
            (None, Some(it)) => quote = Some(it),
            _ => {}
        }
        if is_end {
            all.push(statement(&code, &comments));
            (code, comments) = (String::new(), String::new());
        } else {
            code.push_str(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    all.push(statement(&code, &comments));
    all.retain(|it| !it.words.is_empty());
    all
}

fn statement(code: &str, comments: &str) -> Statement {
    let words = code.to_uppercase().split_whitespace().collect::<Vec<_>>().join(" ");
    Statement { words, comments: comments.to_owned() }
}

impl Statement {
    /// What the statement could do to a server of the previous release. `made`: the tables that the same migration
    /// creates.
    fn danger(&self, made: &BTreeSet<String>) -> Option<&'static str> {
        let words = self.words.as_str();
        let has = |what: &str| words.contains(what);
        let is = |what: &str| words.starts_with(what);
        // The previous release does not use a table that this migration creates.
        let is_on_new = |after: &str| self.word_after(after).is_some_and(|table| made.contains(&table));
        let drops = words.matches(" DROP ").count()
            - words.matches(" DROP CONSTRAINT ").count()
            - words.matches(" DROP NOT NULL").count();
        match () {
            () if is("DROP INDEX") => None,
            () if is("DROP ") => Some("takes something away"),
            () if is("ALTER TABLE") && is_on_new("TABLE ") => None,
            () if is("ALTER TABLE") && drops > 0 => Some("takes something away"),
            () if is("ALTER") && has(" RENAME ") => Some("renames"),
            () if has(" SET NOT NULL") => Some("refuses what was allowed"),
            () if is("ALTER TABLE") && has(" TYPE ") => Some("changes a type"),
            () if is("ALTER TABLE") && self.adds_what_must_be_said() => {
                Some("adds a column that old inserts lack")
            }
            () if is("ALTER TABLE")
                && ["ADD CONSTRAINT", "ADD CHECK", "ADD UNIQUE"].iter().any(|it| has(it)) =>
            {
                Some("refuses what was allowed")
            }
            () if is("CREATE UNIQUE INDEX") && !is_on_new(" ON ") => Some("refuses what was allowed"),
            () if is("CREATE TRIGGER") && !is_on_new(" ON ") => {
                Some("does something at what the old release does")
            }
            () if is("CREATE OR REPLACE") => Some("changes what the old release calls"),
            () if ["UPDATE ", "DELETE ", "TRUNCATE "].iter().any(|it| is(it)) => {
                Some("changes what was written")
            }
            () if has("SCHEMA_FLOOR") => Some("shuts out older releases"),
            () => None,
        }
    }

    /// Whether the statement adds a column that an INSERT may not leave out.
    fn adds_what_must_be_said(&self) -> bool {
        let columns = self.words.split("ADD COLUMN ").skip(1);
        columns.into_iter().any(|it| it.contains("NOT NULL") && !it.contains("DEFAULT"))
    }

    fn word_after(&self, before: &str) -> Option<String> {
        let rest = self.words.split_once(before)?.1;
        rest.split([' ', '(', ';']).next().map(str::to_owned)
    }
}

/// What is wrong with a migration.
fn faults(sql: &str) -> Vec<String> {
    let statements = statements(sql);
    let made = statements.iter().filter(|it| it.words.starts_with("CREATE TABLE"));
    let made: BTreeSet<String> = made.filter_map(|it| it.word_after("TABLE ")).collect();
    let raises_floor = statements.iter().any(|it| it.words.contains("SCHEMA_FLOOR"));
    let fault = |it: &Statement| {
        let danger = it.danger(&made)?;
        let is_contract = it.comments.contains("Contract:");
        let is_excused = it.comments.contains("Release before:") || is_contract && raises_floor;
        (!is_excused).then(|| format!("{danger}: {}", it.words))
    };
    statements.iter().filter_map(fault).collect()
}

#[test]
fn migrations_leave_the_release_before_alone() {
    let mut wrong = Vec::new();
    for folder in ["migrations/sqlite", "migrations/postgres"] {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect(folder)
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert!(names.iter().any(|name| name == OF_FIRST_RELEASE), "{names:?}");
        for name in names.iter().filter(|name| name.as_str() > OF_FIRST_RELEASE) {
            let path = format!("{folder}/{name}/up.sql");
            let sql = fs::read_to_string(&path).expect("a migration");
            wrong.extend(faults(&sql).into_iter().map(|fault| format!("{path}: {fault}")));
        }
    }
    assert!(wrong.is_empty(), "docs/releases.md has the way in two releases:\n{}", wrong.join("\n"));
}

#[test]
fn what_would_break_the_release_before_is_found() {
    for good in [
        "CREATE TABLE a (id BIGINT NOT NULL UNIQUE); CREATE UNIQUE INDEX b ON a (id); ALTER TABLE a DROP c;",
        "ALTER TABLE bookings ADD COLUMN seat INTEGER CHECK (seat > 0);",
        "ALTER TABLE bookings ADD COLUMN seat INTEGER NOT NULL DEFAULT 0, ADD COLUMN row TEXT;",
        "CREATE INDEX a ON bookings (seat); DROP INDEX b; ALTER TABLE bookings DROP CONSTRAINT a;",
        "-- Release before: it writes no gate.\nUPDATE bookings SET gate = 'a; DROP TABLE b';",
        "-- Contract: nobody reads it.\nALTER TABLE a DROP COLUMN b;
         -- Contract: of the migration that added c.\nINSERT INTO secrets (name) VALUES ('schema_floor');",
    ] {
        assert_eq!(faults(good), Vec::<String>::new(), "{good}");
    }
    for bad in [
        "DROP TABLE bookings;",
        "alter table bookings\n    drop column gate;",
        "ALTER TABLE bookings DROP CONSTRAINT a, DROP gate;",
        "ALTER TABLE bookings RENAME COLUMN a TO b;",
        "ALTER TABLE bookings ALTER COLUMN gate SET NOT NULL;",
        "ALTER TABLE bookings ALTER COLUMN gate TYPE INTEGER;",
        "ALTER TABLE bookings ADD COLUMN gate TEXT NOT NULL;",
        "ALTER TABLE bookings ADD COLUMN a TEXT DEFAULT '', ADD COLUMN gate TEXT NOT NULL;",
        "ALTER TABLE bookings ADD CONSTRAINT a CHECK (seat > 0);",
        "CREATE UNIQUE INDEX a ON bookings (gate);",
        "CREATE TRIGGER a AFTER INSERT ON bookings BEGIN SELECT 1; SELECT 2; END;",
        "CREATE OR REPLACE FUNCTION a() RETURNS trigger AS $$ BEGIN; END; $$ LANGUAGE plpgsql;",
        "UPDATE bookings SET gate = ''; -- Release before: too late, it belongs to what follows.\nSELECT 1;",
        "-- Contract: without a floor.\nDROP TABLE a;",
    ] {
        assert_eq!(faults(bad).len(), 1, "{bad}: {:?}", faults(bad));
    }
}

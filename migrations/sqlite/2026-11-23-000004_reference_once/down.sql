-- Nothing to do: SQLite checks its foreign key at next to no cost.
SELECT 1;

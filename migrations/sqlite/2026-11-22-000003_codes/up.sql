-- Nothing to do: SQLite compares byte by byte.
SELECT 1;

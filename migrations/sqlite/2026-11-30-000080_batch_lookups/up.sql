-- SQLite looks each row up as it is inserted.
SELECT 1;

-- SQLite needs no function: its write transactions are alone.
SELECT 1;

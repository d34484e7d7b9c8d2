-- Codes are compared byte by byte, not by the rules of a language: these columns are only ever looked up
-- whole, and each sale compares them some dozens of times on its way into the indexes.
ALTER TABLE bookings
    ALTER COLUMN reference TYPE TEXT COLLATE "C",
    ALTER COLUMN token TYPE TEXT COLLATE "C",
    ALTER COLUMN buyer_email TYPE TEXT COLLATE "C",
    ALTER COLUMN request_key TYPE TEXT COLLATE "C";

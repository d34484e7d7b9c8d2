ALTER TABLE bookings
    ALTER COLUMN reference TYPE TEXT COLLATE "default",
    ALTER COLUMN token TYPE TEXT COLLATE "default",
    ALTER COLUMN buyer_email TYPE TEXT COLLATE "default",
    ALTER COLUMN request_key TYPE TEXT COLLATE "default";

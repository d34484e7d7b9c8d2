-- The wider table stays: it allows all that the one before allowed, and may have entries of the new kind.
SELECT 1;

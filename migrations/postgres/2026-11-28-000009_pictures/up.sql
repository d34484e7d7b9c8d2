-- What is to be seen on the concert's picture, for those who do not see it. `events.image` names the picture.
ALTER TABLE events ADD COLUMN image_alt TEXT NOT NULL DEFAULT '';

-- Pictures of concerts, in the sizes that pages use. The hash is that of a picture's content in all sizes.
CREATE TABLE pictures (
    hash TEXT NOT NULL,
    -- Its width in pixels, or "social".
    variant TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (hash, variant)
);

-- Addresses that get no mail until a time (UTC), because somebody who reads mail there has asked for none. In lower case,
-- the domain in ASCII.
CREATE TABLE suppressed_addresses (
    email TEXT PRIMARY KEY NOT NULL,
    until TIMESTAMP NOT NULL
);

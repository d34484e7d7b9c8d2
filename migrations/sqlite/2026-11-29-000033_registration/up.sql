-- Whether places are given by email only, one for each address. The mail of an address keeps its place.
ALTER TABLE waiting_rooms ADD COLUMN registration BOOLEAN NOT NULL DEFAULT false;

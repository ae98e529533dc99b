-- When packed rows were made, in milliseconds since 1970, so that old ones can go; 0: not known. What lies here already
-- counts as made now.
ALTER TABLE log ADD COLUMN made bigint NOT NULL DEFAULT 0;
UPDATE log SET made = (extract(epoch FROM now()) * 1000)::bigint;
ALTER TABLE trace ADD COLUMN made bigint NOT NULL DEFAULT 0;
UPDATE trace SET made = (extract(epoch FROM now()) * 1000)::bigint;

-- Which looks a row needs, a bit for each, below the number of what the bits mean. NULL: not known, so all.
ALTER TABLE state ADD COLUMN facets bigint;

-- The number of what the bits of `facets` mean, in a column of its own, so that all of its 64 bits count. Before it stood in the
-- upper bits of `facets`: rows without a layout are looked at, and get theirs when they are next written.
ALTER TABLE state ADD COLUMN layout INTEGER;

-- When the identity of an event was stored, in milliseconds since 1970, so that those of events without a time of
-- their own can go. What lies here already counts as stored now.
ALTER TABLE dedup ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
UPDATE dedup SET made = unixepoch() * 1000 WHERE slot = -1;
CREATE INDEX dedup_untimed ON dedup (made) WHERE slot = -1;

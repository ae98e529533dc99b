-- What is given and ends by itself, in the order in which it does.
CREATE INDEX entry_until ON entry (until, gift) WHERE until IS NOT NULL;

-- Short names of tracked links: whose they are (a hash), when they were made (milliseconds since 1970), and, sealed, of which
-- message and where they lead.
CREATE TABLE link (
    name TEXT PRIMARY KEY,
    whom INTEGER NOT NULL,
    made INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX link_made ON link (made);

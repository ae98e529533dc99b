-- Everything of one customer is one row of `state`; the rest is packed per batch. Forward only: a change of this
-- schema is the next file, never an edit of this one.

-- Small named values: what the store was made for, the clock's origin, sweep cursors, switches.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Who may write, by group of buckets; SQLite has one group, 0. `batch` is the number of the last commit.
CREATE TABLE lease (
    grp   INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    batch INTEGER NOT NULL
);
INSERT INTO lease (grp, epoch, batch) VALUES (0, 0, 0);

-- Names that states and traces refer to by number: dense from 0, append-only.
CREATE TABLE symbol (
    no   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Every version of a journey that was ever live.
CREATE TABLE program (
    no      INTEGER PRIMARY KEY,
    hash    TEXT NOT NULL UNIQUE,
    journey TEXT NOT NULL,
    body    BLOB NOT NULL
);

-- Deployments; the one with the greatest `no` is live.
CREATE TABLE bundle (
    no   INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE state (
    bucket  INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    id      TEXT NOT NULL,
    version INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (bucket, kind, id)
) WITHOUT ROWID;

CREATE TABLE log (
    batch INTEGER PRIMARY KEY,
    body  BLOB NOT NULL
);

CREATE TABLE trace (
    batch INTEGER PRIMARY KEY,
    body  BLOB NOT NULL
);

CREATE TABLE outbox (
    channel INTEGER NOT NULL,
    batch   INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (channel, batch)
) WITHOUT ROWID;

-- `due` in milliseconds since 1970.
CREATE TABLE timer (
    due   INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    body  BLOB NOT NULL,
    PRIMARY KEY (due, batch)
) WITHOUT ROWID;

-- Identities of events, by the day of the event's own time first, so that inserts stay local.
CREATE TABLE dedup (
    slot    INTEGER NOT NULL,
    hash    BLOB NOT NULL,
    payload INTEGER NOT NULL,
    PRIMARY KEY (slot, hash)
) WITHOUT ROWID;

CREATE TABLE quarantine (
    no     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    code   TEXT NOT NULL,
    reason TEXT NOT NULL,
    body   BLOB NOT NULL
);

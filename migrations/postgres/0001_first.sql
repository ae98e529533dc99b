-- As migrations/sqlite, ready for several workers and for hash partitions: what belongs to one customer has `bucket`
-- first, what is packed per group of 64 buckets has `grp` first, in keys and indexes, and no statement needs another
-- order. Names compare by bytes, as Rust does. Forward only: a change of this schema is the next file.

-- Small named values: what the store was made for, the clock's origin, sweep cursors, switches.
CREATE TABLE meta (
    name  text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);

-- Workers, and until when each is taken to be alive (the server's clock). `epoch` counts its lives.
CREATE TABLE worker (
    name  text COLLATE "C" PRIMARY KEY,
    epoch bigint NOT NULL,
    until timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Who may write a group. `epoch` is the fencing token and grows with each owner; `batch` is the number of the last
-- commit that touched the group.
CREATE TABLE lease (
    grp   smallint PRIMARY KEY,
    owner text COLLATE "C",
    epoch bigint NOT NULL,
    batch bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO lease (grp, epoch, batch) SELECT grp, 0, 0 FROM generate_series(0, 63) AS grp;

-- Names that states and traces refer to by number: dense from 0, append-only.
CREATE TABLE symbol (
    no   integer PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

-- Every version of a journey that was ever live.
CREATE TABLE program (
    no      integer PRIMARY KEY,
    hash    text COLLATE "C" NOT NULL UNIQUE,
    journey text NOT NULL,
    body    bytea NOT NULL
);

-- Deployments; the one with the greatest `no` is live.
CREATE TABLE bundle (
    no   bigint PRIMARY KEY,
    hash text NOT NULL,
    body bytea NOT NULL
);

-- Room on each page, so that a new version of a row stays beside the old one and no index changes.
CREATE TABLE state (
    bucket  smallint NOT NULL,
    kind    integer NOT NULL,
    id      text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body    bytea NOT NULL,
    PRIMARY KEY (bucket, kind, id)
) WITH (fillfactor = 80);

-- Sealed payloads do not compress.
CREATE TABLE log (
    grp   smallint NOT NULL,
    batch bigint NOT NULL,
    body  bytea NOT NULL,
    PRIMARY KEY (grp, batch)
);
ALTER TABLE log ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE trace (
    grp   smallint NOT NULL,
    batch bigint NOT NULL,
    body  bytea NOT NULL,
    PRIMARY KEY (grp, batch)
);
ALTER TABLE trace ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE outbox (
    grp     smallint NOT NULL,
    channel integer NOT NULL,
    batch   bigint NOT NULL,
    body    bytea NOT NULL,
    PRIMARY KEY (grp, channel, batch)
);

-- `due` in milliseconds since 1970.
CREATE TABLE timer (
    grp   smallint NOT NULL,
    due   bigint NOT NULL,
    batch bigint NOT NULL,
    body  bytea NOT NULL,
    PRIMARY KEY (grp, due, batch)
);

-- Identities of events, by the day of the event's own time, so that inserts stay local. `payload` is 32 bits.
CREATE TABLE dedup (
    grp     smallint NOT NULL,
    slot    integer NOT NULL,
    hash    bytea NOT NULL,
    payload integer NOT NULL,
    PRIMARY KEY (grp, slot, hash)
);

-- `grp` is one of the writer's, not the subject's: a record may have no subject.
CREATE TABLE quarantine (
    grp    smallint NOT NULL,
    batch  bigint NOT NULL,
    no     integer NOT NULL,
    at     bigint NOT NULL,
    code   text NOT NULL,
    reason text NOT NULL,
    body   bytea NOT NULL,
    PRIMARY KEY (grp, batch, no)
);

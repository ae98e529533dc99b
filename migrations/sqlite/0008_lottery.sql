-- Lotteries, by name: the terms as they were published, what was told of the seed, the seed itself (secret until `revealed`),
-- and where the chain of draws ends. `ends`: from when on nobody can draw any more. Milliseconds since 1970.
CREATE TABLE lottery (
    name       TEXT PRIMARY KEY,
    terms      TEXT NOT NULL,
    commitment TEXT NOT NULL,
    seed       TEXT NOT NULL,
    made       INTEGER NOT NULL,
    ends       INTEGER,
    revealed   INTEGER,
    draws      INTEGER NOT NULL,
    head       TEXT NOT NULL,
    won        TEXT NOT NULL
) WITHOUT ROWID;

-- The chains: never changed. `left`: how many of the drawn prize are left after it.
CREATE TABLE draw (
    lottery TEXT NOT NULL,
    nth     INTEGER NOT NULL,
    ticket  TEXT NOT NULL,
    drawn   TEXT,
    outcome TEXT NOT NULL,
    "left"  INTEGER,
    at      INTEGER NOT NULL,
    link    TEXT NOT NULL,
    "key"   TEXT NOT NULL,
    holder  TEXT NOT NULL,
    PRIMARY KEY (lottery, nth)
) WITHOUT ROWID;

-- What all customers share, by account: of how much there is (`most`), how much was given and has not come back, when
-- its owner was to be told, and when somebody first found nothing left. Milliseconds since 1970.
CREATE TABLE quota (
    account TEXT PRIMARY KEY,
    most    INTEGER NOT NULL,
    given   INTEGER NOT NULL,
    alerted INTEGER,
    gone    INTEGER
) WITHOUT ROWID;

-- The books: movements of gifts, never changed. `act` and `place` as in src/ledger; `place`: where it is taken from.
CREATE TABLE entry (
    gift    TEXT NOT NULL,
    account TEXT NOT NULL,
    part    INTEGER NOT NULL,
    act     INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    unit    TEXT NOT NULL,
    holder  TEXT NOT NULL,
    "key"   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    until   INTEGER,
    PRIMARY KEY (gift, account, part, act)
) WITHOUT ROWID;
CREATE INDEX entry_account ON entry (account, at, gift, part, act);
CREATE INDEX entry_holder ON entry (holder, at, gift, account, part, act);

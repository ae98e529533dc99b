-- What all customers share, by account: of how much there is (`most`), how much of it is in blocks, when its owner was to
-- be told, and when somebody first found nothing left. Milliseconds since 1970. Not of a customer: one small table.
CREATE TABLE quota (
    account text COLLATE "C" PRIMARY KEY,
    most    bigint NOT NULL,
    handed  bigint NOT NULL,
    alerted bigint,
    gone    bigint
) WITH (fillfactor = 50);

-- What a life of a worker may give of an account, and has. What comes back, and what lives that are over have given, is in
-- the row without a holder. The sizes of an account add up to what was handed out.
CREATE TABLE block (
    account text COLLATE "C" NOT NULL,
    holder  text COLLATE "C" NOT NULL,
    life    bigint NOT NULL,
    size    bigint NOT NULL,
    spent   bigint NOT NULL CHECK (spent <= size),
    PRIMARY KEY (account, holder, life)
) WITH (fillfactor = 50);

-- The books: movements of gifts, never changed. `act` and `place` as in src/ledger; `place`: where it is taken from.
CREATE TABLE entry (
    grp     smallint NOT NULL,
    gift    text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    part    smallint NOT NULL,
    act     smallint NOT NULL,
    place   smallint NOT NULL,
    amount  bigint NOT NULL,
    unit    text COLLATE "C" NOT NULL,
    holder  text COLLATE "C" NOT NULL,
    key     text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    until   bigint,
    PRIMARY KEY (grp, gift, account, part, act)
);
CREATE INDEX entry_account ON entry (account, at, gift, part, act);
CREATE INDEX entry_holder ON entry (holder, at, gift, account, part, act);

-- Who invites whom. A code is of one who invites, by one referral; device and address are hashes.
CREATE TABLE referral_code (
    code     TEXT PRIMARY KEY,
    referral TEXT NOT NULL,
    inviter  TEXT NOT NULL,
    device   TEXT,
    address  TEXT,
    made     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX referral_code_inviter ON referral_code (referral, inviter);

-- Who was brought by whom, at most one for each who was invited. `told`: since when their row has known; `until`: so long
-- no other link counts. Milliseconds since 1970.
CREATE TABLE referral_edge (
    referral TEXT NOT NULL,
    invitee  TEXT NOT NULL,
    inviter  TEXT NOT NULL,
    code     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    told     INTEGER,
    PRIMARY KEY (referral, invitee)
) WITHOUT ROWID;
CREATE INDEX referral_edge_inviter ON referral_edge (inviter, referral, at);
CREATE INDEX referral_edge_untold ON referral_edge (at) WHERE told IS NULL;

-- Links that did not count, and why.
CREATE TABLE referral_refusal (
    referral TEXT NOT NULL,
    invitee  TEXT NOT NULL,
    inviter  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    times    INTEGER NOT NULL,
    PRIMARY KEY (referral, invitee, inviter, reason)
) WITHOUT ROWID;
CREATE INDEX referral_refusal_inviter ON referral_refusal (inviter);

-- Who invites whom. A code is of one who invites, by one referral; device and address are hashes.
CREATE TABLE referral_code (
    code     text COLLATE "C" PRIMARY KEY,
    referral text COLLATE "C" NOT NULL,
    inviter  text COLLATE "C" NOT NULL,
    device   text,
    address  text,
    made     bigint NOT NULL
);
CREATE UNIQUE INDEX referral_code_inviter ON referral_code (referral, inviter);

-- One row for each referral: whoever binds holds it, so that of two links one is the first.
CREATE TABLE referral (
    name  text COLLATE "C" PRIMARY KEY,
    bound bigint NOT NULL
) WITH (fillfactor = 50);

-- Who was brought by whom, at most one for each who was invited. `told`: since when their row has known; `until`: so long
-- no other link counts. Milliseconds since 1970.
CREATE TABLE referral_edge (
    referral text COLLATE "C" NOT NULL,
    invitee  text COLLATE "C" NOT NULL,
    inviter  text COLLATE "C" NOT NULL,
    code     text COLLATE "C" NOT NULL,
    at       bigint NOT NULL,
    until    bigint NOT NULL,
    told     bigint,
    PRIMARY KEY (referral, invitee)
);
CREATE INDEX referral_edge_inviter ON referral_edge (inviter, referral, at);
CREATE INDEX referral_edge_untold ON referral_edge (at) WHERE told IS NULL;

-- Links that did not count, and why.
CREATE TABLE referral_refusal (
    referral text COLLATE "C" NOT NULL,
    invitee  text COLLATE "C" NOT NULL,
    inviter  text COLLATE "C" NOT NULL,
    reason   text COLLATE "C" NOT NULL,
    first    bigint NOT NULL,
    last     bigint NOT NULL,
    times    bigint NOT NULL,
    PRIMARY KEY (referral, invitee, inviter, reason)
);
CREATE INDEX referral_refusal_inviter ON referral_refusal (inviter);

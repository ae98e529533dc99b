-- Several workers at once: what arrives at one for a group that another holds, and who may give whom up.

-- Since when its life has had no gap that made it look dead. Who was cut off itself must not think that all others died.
ALTER TABLE worker ADD COLUMN since timestamptz NOT NULL DEFAULT '-infinity';

-- For the owner of the group, in this order: the sender's time (milliseconds since 1970), its life and its batch.
CREATE TABLE inbox (
    grp    smallint NOT NULL,
    at     bigint NOT NULL,
    sender text COLLATE "C" NOT NULL,
    batch  bigint NOT NULL,
    body   bytea NOT NULL,
    PRIMARY KEY (grp, at, sender, batch)
);

-- A worker that holds no group has numbers of its own: its life tells its records apart. Empty for an owner of `grp`.
ALTER TABLE quarantine ADD COLUMN sender text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE quarantine DROP CONSTRAINT quarantine_pkey;
ALTER TABLE quarantine ADD PRIMARY KEY (grp, batch, no, sender);

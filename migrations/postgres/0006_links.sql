-- Short names of tracked links: whose they are (a hash), when they were made (milliseconds since 1970), and, sealed, of which
-- message and where they lead.
CREATE TABLE link (
    grp  smallint NOT NULL,
    name text COLLATE "C" NOT NULL,
    whom bigint NOT NULL,
    made bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (grp, name)
);
CREATE INDEX link_made ON link (grp, made);

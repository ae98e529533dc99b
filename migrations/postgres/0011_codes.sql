-- Codes of partners. Each is of one reward; `gift`: whose it is, since `shown`, once somebody has asked for it. How many of
-- a reward there are is the `most` of its account in `quota`. Milliseconds since 1970.
CREATE TABLE partner_code (
    reward text COLLATE "C" NOT NULL,
    code   text COLLATE "C" NOT NULL,
    made   bigint NOT NULL,
    gift   text COLLATE "C",
    shown  bigint,
    PRIMARY KEY (reward, code)
);
CREATE UNIQUE INDEX partner_code_gift ON partner_code (gift) WHERE gift IS NOT NULL;
CREATE INDEX partner_code_made ON partner_code (reward, made, code);
CREATE INDEX partner_code_free ON partner_code (reward, made, code) WHERE gift IS NULL;

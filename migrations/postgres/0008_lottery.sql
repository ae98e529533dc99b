-- Lotteries, by name: the terms as they were published, what was told of the seed, the seed itself (secret until `revealed`),
-- and where the chain of draws ends. `ends`: from when on nobody can draw any more. Milliseconds since 1970.
CREATE TABLE lottery (
    name       text COLLATE "C" PRIMARY KEY,
    terms      text NOT NULL,
    commitment text NOT NULL,
    seed       text NOT NULL,
    made       bigint NOT NULL,
    ends       bigint,
    revealed   bigint,
    draws      bigint NOT NULL,
    head       text NOT NULL,
    won        text NOT NULL
) WITH (fillfactor = 50);

-- The chains: never changed. "left": how many of the drawn prize are left after it.
CREATE TABLE draw (
    lottery text COLLATE "C" NOT NULL,
    nth     bigint NOT NULL,
    ticket  text NOT NULL,
    drawn   text,
    outcome text NOT NULL,
    "left"  bigint,
    at      bigint NOT NULL,
    link    text NOT NULL,
    key     text NOT NULL,
    holder  text NOT NULL,
    PRIMARY KEY (lottery, nth)
);

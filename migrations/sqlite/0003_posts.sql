-- What rows say to other rows, until those have taken it: one row for each batch that said something. `at` is the
-- sender's time, in milliseconds since 1970.
CREATE TABLE inbox (
    batch INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    body  BLOB NOT NULL
);

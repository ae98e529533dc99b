-- The directory of work: a copy of the open tasks of all states, and of those that were done, to look for.
-- Instants in milliseconds since 1970; `due` 9223372036854775807: none. `status`: 0 open, 1 overdue, 2 done, 3 withdrawn.
CREATE TABLE task (
    id        TEXT PRIMARY KEY,
    "key"     TEXT NOT NULL,
    entity    TEXT NOT NULL,
    about     TEXT NOT NULL,
    task      TEXT NOT NULL,
    assignee  TEXT NOT NULL,
    holder    TEXT NOT NULL,
    unit      TEXT NOT NULL,
    status    INTEGER NOT NULL,
    result    TEXT,
    opened    INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    reminded  INTEGER,
    escalated TEXT,
    changed   INTEGER NOT NULL,
    batch     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX task_open ON task (due, id) WHERE status < 2;
CREATE INDEX task_closed ON task (due, id) WHERE status >= 2;
CREATE INDEX task_open_assignee ON task (assignee, due, id) WHERE status < 2;
CREATE INDEX task_closed_assignee ON task (assignee, due, id) WHERE status >= 2;
CREATE INDEX task_open_unit ON task (unit, due, id) WHERE status < 2;
CREATE INDEX task_closed_unit ON task (unit, due, id) WHERE status >= 2;
CREATE INDEX task_batch ON task (batch);

-- How many there are, by the day on which they were opened (since 1970, in the bank's zone). `unit` is empty for none.
CREATE TABLE task_count (
    unit   TEXT NOT NULL,
    task   TEXT NOT NULL,
    day    INTEGER NOT NULL,
    status INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (unit, task, day, status)
) WITHOUT ROWID;

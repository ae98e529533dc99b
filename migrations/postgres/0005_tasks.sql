-- The directory of work: a copy of the open tasks of all states, and of those that were done, to look for.
-- Instants in milliseconds since 1970; `due` 9223372036854775807: none. `status`: 0 open, 1 overdue, 2 done, 3 withdrawn.
CREATE TABLE task (
    grp       smallint NOT NULL,
    id        text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    entity    text COLLATE "C" NOT NULL,
    about     text COLLATE "C" NOT NULL,
    task      text COLLATE "C" NOT NULL,
    assignee  text COLLATE "C" NOT NULL,
    holder    text COLLATE "C" NOT NULL,
    unit      text COLLATE "C" NOT NULL,
    status    smallint NOT NULL,
    result    text,
    opened    bigint NOT NULL,
    day       integer NOT NULL,
    due       bigint NOT NULL,
    reminded  bigint,
    escalated text,
    changed   bigint NOT NULL,
    batch     bigint NOT NULL,
    PRIMARY KEY (grp, id)
) WITH (fillfactor = 80);
CREATE INDEX task_open ON task (due, id) WHERE status < 2;
CREATE INDEX task_closed ON task (due, id) WHERE status >= 2;
CREATE INDEX task_open_assignee ON task (assignee, due, id) WHERE status < 2;
CREATE INDEX task_closed_assignee ON task (assignee, due, id) WHERE status >= 2;
CREATE INDEX task_open_unit ON task (unit, due, id) WHERE status < 2;
CREATE INDEX task_closed_unit ON task (unit, due, id) WHERE status >= 2;
CREATE INDEX task_batch ON task (grp, batch);

-- How many there are, by the day on which they were opened (since 1970, in the bank's zone). `unit` is empty for none.
CREATE TABLE task_count (
    grp    smallint NOT NULL,
    unit   text COLLATE "C" NOT NULL,
    task   text COLLATE "C" NOT NULL,
    day    integer NOT NULL,
    status smallint NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (grp, unit, task, day, status)
) WITH (fillfactor = 80);

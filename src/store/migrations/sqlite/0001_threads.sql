-- Threads, their items and what visitors think of answers.
-- `seq` is the order of creation: lists follow it, never the time, so that equal times lose no row.
-- Times are microseconds since 1970, UTC.

CREATE TABLE threads (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    owner          TEXT    NOT NULL,
    created_us     INTEGER NOT NULL,
    title          TEXT,
    title_is_users INTEGER NOT NULL DEFAULT 0 CHECK (title_is_users IN (0, 1)),
    status         TEXT    NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'locked', 'closed')),
    status_reason  TEXT
) STRICT;

CREATE INDEX threads_by_owner ON threads (owner, seq);

CREATE TABLE items (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    thread_seq INTEGER NOT NULL REFERENCES threads (seq) ON DELETE CASCADE,
    created_us INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    content    TEXT    NOT NULL CHECK (json_valid(content))
) STRICT;

CREATE INDEX items_by_thread ON items (thread_seq, seq);

CREATE TABLE feedback (
    item_seq INTEGER PRIMARY KEY REFERENCES items (seq) ON DELETE CASCADE,
    kind     TEXT    NOT NULL CHECK (kind IN ('positive', 'negative')),
    given_us INTEGER NOT NULL
) STRICT;

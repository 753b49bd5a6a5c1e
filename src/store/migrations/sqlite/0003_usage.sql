-- What answers took: tokens, searches, money. No words and no owner. When a thread is deleted its rows stay as figures
-- of a day: without the thread, the item and the time of day.
-- Money is an estimate in billionths of a US dollar by the prices of a day; both are NULL when a price is not known.

CREATE TABLE usage (
    seq                INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id            TEXT    UNIQUE,
    thread_seq         INTEGER REFERENCES threads (seq) ON DELETE SET NULL,
    answered_us        INTEGER NOT NULL,
    outcome            TEXT    NOT NULL,
    model              TEXT    NOT NULL,
    requests           INTEGER NOT NULL CHECK (requests >= 0),
    input_tokens       INTEGER NOT NULL CHECK (input_tokens >= 0),
    cached_tokens      INTEGER NOT NULL CHECK (cached_tokens >= 0),
    cache_write_tokens INTEGER NOT NULL CHECK (cache_write_tokens >= 0),
    output_tokens      INTEGER NOT NULL CHECK (output_tokens >= 0),
    reasoning_tokens   INTEGER NOT NULL CHECK (reasoning_tokens >= 0),
    searches           INTEGER NOT NULL CHECK (searches >= 0),
    nano_dollars       INTEGER CHECK (nano_dollars >= 0),
    priced_on          TEXT,
    CHECK ((nano_dollars IS NULL) = (priced_on IS NULL))
) STRICT;

CREATE INDEX usage_by_time ON usage (answered_us);
CREATE INDEX usage_by_thread ON usage (thread_seq) WHERE thread_seq IS NOT NULL;

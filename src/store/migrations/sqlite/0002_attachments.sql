-- Files that visitors attach. The bytes lie elsewhere, under their hash; several rows may share them.

CREATE TABLE attachments (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    owner      TEXT    NOT NULL,
    thread_seq INTEGER REFERENCES threads (seq) ON DELETE CASCADE,
    created_us INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    mime_type  TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('file', 'image')),
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    sha256     TEXT
) STRICT;

CREATE INDEX attachments_by_owner ON attachments (owner, seq);
CREATE INDEX attachments_by_thread ON attachments (thread_seq) WHERE thread_seq IS NOT NULL;
CREATE INDEX attachments_by_bytes ON attachments (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX attachments_without_thread ON attachments (created_us) WHERE thread_seq IS NULL;

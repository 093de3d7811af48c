-- The question that a statement answers.
ALTER TABLE statements ADD COLUMN context TEXT NOT NULL DEFAULT '';
-- How the speaker is known, or why not ("name shared by ...").
ALTER TABLE statements ADD COLUMN attribution TEXT NOT NULL DEFAULT '';

-- State of crawls. A walk goes through one listing from its newest page to its oldest; `next_url` is the page
-- that it would read next, empty once it has come to the end. A walk that was cut short at a date (`since`)
-- goes on when an earlier date is asked for.
CREATE TABLE walks (
    walk_id     INTEGER PRIMARY KEY,
    source      TEXT NOT NULL,
    listing     TEXT NOT NULL,
    next_url    TEXT NOT NULL,
    page        INTEGER NOT NULL,
    since       TEXT NOT NULL,
    started_at  TEXT NOT NULL
) STRICT;

-- Every address of a document that a listing has shown, and what became of it.
CREATE TABLE addresses (
    source        TEXT NOT NULL,
    url           TEXT NOT NULL,
    walk_id       INTEGER NOT NULL,
    listed_on     TEXT NOT NULL,
    title         TEXT NOT NULL,
    published     TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('todo', 'done', 'skipped', 'blocked', 'failed', 'gone')),
    etag          TEXT NOT NULL DEFAULT '',
    last_modified TEXT NOT NULL DEFAULT '',
    fetched_at    TEXT NOT NULL DEFAULT '',
    note          TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (source, url)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_by_state ON addresses (source, state);
CREATE INDEX addresses_by_listing ON addresses (source, listed_on);

-- What a conditional request for a listing's first page needs.
CREATE TABLE validators (
    source        TEXT NOT NULL,
    url           TEXT NOT NULL,
    etag          TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    PRIMARY KEY (source, url)
) STRICT, WITHOUT ROWID;

-- How each page was read; derived from the archive, as everything below.
CREATE TABLE readings (
    url         TEXT PRIMARY KEY,
    source      TEXT NOT NULL,
    doc_id      TEXT NOT NULL,
    title       TEXT NOT NULL,
    date        TEXT NOT NULL,
    date_method TEXT NOT NULL,
    lang        TEXT NOT NULL,
    status      TEXT NOT NULL,
    note        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    fetched_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Where each statement stands: one statement may stand at several addresses.
CREATE TABLE locations (
    url          TEXT NOT NULL,
    position     INTEGER NOT NULL,
    statement_id TEXT NOT NULL REFERENCES statements (statement_id) ON DELETE CASCADE,
    PRIMARY KEY (url, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX locations_by_statement ON locations (statement_id);

CREATE TABLE fingerprints (
    statement_id TEXT PRIMARY KEY REFERENCES statements (statement_id) ON DELETE CASCADE,
    text_hash    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX fingerprints_by_text ON fingerprints (text_hash);

CREATE TABLE bands (
    band         INTEGER NOT NULL,
    statement_id TEXT NOT NULL REFERENCES statements (statement_id) ON DELETE CASCADE,
    PRIMARY KEY (band, statement_id)
) STRICT, WITHOUT ROWID;

-- Statements that say what an earlier one says: `exact` by text, `near` by shingles. They are retired.
CREATE TABLE duplicates (
    duplicate_id TEXT PRIMARY KEY REFERENCES statements (statement_id) ON DELETE CASCADE,
    kept_id      TEXT NOT NULL REFERENCES statements (statement_id) ON DELETE CASCADE,
    kind         TEXT NOT NULL CHECK (kind IN ('exact', 'near')),
    similarity   REAL NOT NULL,
    decided_at   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX duplicates_by_kept ON duplicates (kept_id);

-- Pages that say the same in another language: linked, never merged.
CREATE TABLE translations (
    url       TEXT NOT NULL,
    other_url TEXT NOT NULL,
    PRIMARY KEY (url, other_url)
) STRICT, WITHOUT ROWID;

-- A statement belongs to one document; tags and labels belong to a statement and a target.
CREATE TABLE documents (
    doc_id      TEXT PRIMARY KEY,
    source      TEXT NOT NULL,
    url         TEXT NOT NULL,
    title       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE statements (
    statement_id TEXT PRIMARY KEY,
    doc_id       TEXT NOT NULL REFERENCES documents (doc_id),
    date         TEXT NOT NULL,
    date_method  TEXT NOT NULL,
    speaker      TEXT NOT NULL,
    role         TEXT NOT NULL,
    country      TEXT NOT NULL,
    venue        TEXT NOT NULL,
    lang         TEXT NOT NULL,
    text         TEXT NOT NULL,
    provenance   TEXT NOT NULL,
    joint        INTEGER NOT NULL CHECK (joint IN (0, 1)),
    -- Dropped by its source since it was loaded: kept, and left out of every reading.
    retired      INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX statements_by_date ON statements (country, date);

CREATE TABLE runs (
    run_id           TEXT PRIMARY KEY,
    command          TEXT NOT NULL,
    started_at       TEXT NOT NULL,
    model_id         TEXT NOT NULL,
    codebook_version TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    statement_id     TEXT NOT NULL REFERENCES statements (statement_id) ON DELETE CASCADE,
    target           TEXT NOT NULL,
    model_id         TEXT NOT NULL,
    codebook_version TEXT NOT NULL,
    run_id           TEXT NOT NULL REFERENCES runs (run_id),
    stance           TEXT NOT NULL CHECK (stance IN ('favor', 'neutral', 'against', 'none')),
    p_favor          REAL NOT NULL,
    p_neutral        REAL NOT NULL,
    p_against        REAL NOT NULL,
    p_none           REAL NOT NULL,
    confidence       REAL NOT NULL,
    abstained        INTEGER NOT NULL CHECK (abstained IN (0, 1)),
    evidence_start   INTEGER,
    evidence_end     INTEGER,
    PRIMARY KEY (statement_id, target, model_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE labels (
    statement_id     TEXT NOT NULL REFERENCES statements (statement_id) ON DELETE CASCADE,
    target           TEXT NOT NULL,
    -- 'adjudicated' counts in statistics and training; any other coder is kept for agreement.
    coder            TEXT NOT NULL,
    stance           TEXT NOT NULL CHECK (stance IN ('favor', 'neutral', 'against', 'none')),
    sampling_prob    REAL NOT NULL CHECK (sampling_prob > 0 AND sampling_prob <= 1),
    codebook_version TEXT NOT NULL,
    PRIMARY KEY (statement_id, target, coder)
) STRICT, WITHOUT ROWID;

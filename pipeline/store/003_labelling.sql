-- When a label was made, and how it came: empty for the bundled codings, else `label`, `import ...` or the rule
-- that settled it. What a person said stays on record when it is changed.
ALTER TABLE labels ADD COLUMN labelled_at TEXT NOT NULL DEFAULT '';
ALTER TABLE labels ADD COLUMN origin TEXT NOT NULL DEFAULT '';

CREATE TABLE label_history (
    statement_id     TEXT NOT NULL,
    target           TEXT NOT NULL,
    coder            TEXT NOT NULL,
    stance           TEXT NOT NULL,
    sampling_prob    REAL NOT NULL,
    codebook_version TEXT NOT NULL,
    labelled_at      TEXT NOT NULL,
    origin           TEXT NOT NULL,
    replaced_at      TEXT NOT NULL
) STRICT;
CREATE INDEX label_history_by_statement ON label_history (statement_id, target, coder);

CREATE TRIGGER labels_keep_history AFTER UPDATE ON labels
WHEN old.stance <> new.stance OR old.codebook_version <> new.codebook_version
BEGIN
    INSERT INTO label_history VALUES (
        old.statement_id, old.target, old.coder, old.stance, old.sampling_prob, old.codebook_version,
        old.labelled_at, old.origin, new.labelled_at
    );
END;

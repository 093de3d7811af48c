-- Rounds of sampling for labels. Every statement that could have been drawn is there, drawn or not: its chance of
-- having been labelled by now needs the chances it had in the rounds that passed it by.
CREATE TABLE sampling_rounds (
    round     INTEGER PRIMARY KEY,
    drawn_at  TEXT NOT NULL,
    seed      INTEGER NOT NULL,
    asked     INTEGER NOT NULL,
    model_id  TEXT NOT NULL
) STRICT;

CREATE TABLE sampling (
    round        INTEGER NOT NULL REFERENCES sampling_rounds (round),
    statement_id TEXT NOT NULL REFERENCES statements (statement_id) ON DELETE CASCADE,
    stratum      TEXT NOT NULL,
    prob         REAL NOT NULL CHECK (prob > 0 AND prob <= 1),
    drawn        INTEGER NOT NULL CHECK (drawn IN (0, 1)),
    PRIMARY KEY (round, statement_id)
) STRICT, WITHOUT ROWID;

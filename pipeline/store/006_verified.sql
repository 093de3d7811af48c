-- A documented statement that no second page bears out yet is kept, and left out of trends.
ALTER TABLE statements ADD COLUMN verified INTEGER NOT NULL DEFAULT 1 CHECK (verified IN (0, 1));

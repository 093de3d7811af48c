"""Tag statements: segment, weigh, decide per target, show the evidence, and know how sure it is."""

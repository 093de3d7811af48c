"""Keep answers: what was answered once is not asked again, and a run that stops goes on where it was."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.errors import StoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
  prompt TEXT NOT NULL, model TEXT NOT NULL, text TEXT NOT NULL, sample INTEGER NOT NULL, answer TEXT NOT NULL,
  PRIMARY KEY (prompt, model, text, sample)
) WITHOUT ROWID
"""


class AnswerCache:
    """A SQLite file of answers by prompt version, model, text and sample; of the text only a hash is kept.

    Raises
    ------
    StoreError
        When the file cannot be opened as a cache.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._connection.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{path} cannot be used as a cache of answers ({error}); name another with STANCE_LLM_CACHE."
            ) from None

    def __enter__(self) -> Self:
        """Use it in a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._connection.close()

    def get(self, prompt: str, model: str, text: str, sample: int) -> str | None:
        """Return what was answered, None when nothing was yet."""
        row = self._connection.execute(
            "SELECT answer FROM answers WHERE prompt = ? AND model = ? AND text = ? AND sample = ?",
            (prompt, model, _hash(text), sample),
        ).fetchone()
        return None if row is None else str(row[0])

    def put(self, prompt: str, model: str, text: str, sample: int, answer: str) -> None:
        """Keep an answer, at once."""
        self._connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", (prompt, model, _hash(text), sample, answer)
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

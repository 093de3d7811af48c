"""Where the language model is and how it is asked: from the environment, checked before the first request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import UsageError

PREFIX = "llm:"
"""What a model's name begins with when it is a language model's: `--model llm:NAME`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmSettings:
    """How to ask.

    Attributes
    ----------
    url : str
        Base address of an OpenAI-compatible interface, such as http://localhost:8000/v1.
    model : str
        Name that the address knows the model by.
    key : str
        Sent as a bearer token; empty sends none. Never logged, never stored.
    samples : int
        Answers asked for each statement; their votes are the probabilities.
    timeout : float
        Seconds for one answer.
    tries : int
        Requests for one answer, the first included.
    concurrency : int
        Requests under way at once.
    cache : Path
        SQLite file of answers.
    """

    url: str
    model: str
    key: str = ""
    samples: int = 1
    timeout: float = 60.0
    tries: int = 4
    concurrency: int = 4
    cache: Path = Path("data") / "llm-answers.sqlite"

    def __repr__(self) -> str:
        """Leave the key out of messages and logs."""
        return f"LlmSettings(url={self.url!r}, model={self.model!r}, samples={self.samples})"


def settings_from_environment(model: str, environment: Mapping[str, str] | None = None) -> LlmSettings:
    """Read the settings of a model: `STANCE_LLM_URL`, and if set `_KEY`, `_SAMPLES`, `_TIMEOUT`, `_TRIES` ...

    Raises
    ------
    UsageError
        When the address is missing or not http(s), no model is named, or a number is out of range.
    """
    given = os.environ if environment is None else environment
    url = given.get("STANCE_LLM_URL", "").rstrip("/")
    if not model:
        raise UsageError("--model llm: names no model: write llm:NAME as the address knows it.")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise UsageError(
            f"STANCE_LLM_URL is {url!r}: set it to the base address of an OpenAI-compatible interface, such as "
            "http://localhost:8000/v1."
        )
    return LlmSettings(
        url=url,
        model=model,
        key=given.get("STANCE_LLM_KEY", ""),
        samples=int(_number(given, "SAMPLES", 1, 1, 25)),
        timeout=_number(given, "TIMEOUT", 60, 0.01, 3600),
        tries=int(_number(given, "TRIES", 4, 1, 20)),
        concurrency=int(_number(given, "CONCURRENCY", 4, 1, 64)),
        cache=Path(given.get("STANCE_LLM_CACHE") or LlmSettings(url=url, model=model).cache),
    )


def _number(given: Mapping[str, str], name: str, usual: float, low: float, high: float) -> float:
    value = given.get(f"STANCE_LLM_{name}") or str(usual)
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high or (name != "TIMEOUT" and number != int(number)):
        raise UsageError(f"STANCE_LLM_{name} is {value!r}: give a number from {low:g} to {high:g}.")
    return number

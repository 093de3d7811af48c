"""One question to an OpenAI-compatible address: time-outs, retries, Retry-After, and what it cost."""

from __future__ import annotations

import datetime as dt
import email.utils
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from pipeline.classify.llm.settings import LlmSettings
from pipeline.errors import StanceError, UsageError

_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_BACKOFF = 1.0
LONGEST_WAIT = 60.0
"""Seconds that are waited at most before the next try, whatever Retry-After says."""

Message = dict[str, str]


class LlmError(StanceError):
    """The language model could not be asked, or gave no answer that can be used."""


@dataclass(slots=True)
class Usage:
    """What was asked and what it cost, as the address counts; `cached` answers cost nothing."""

    calls: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: int = 0


class ChatClient:
    """A connection to one address; close it after use. It may be used from several threads.

    Parameters
    ----------
    settings : LlmSettings
    wait : callable
        Waits so many seconds before another try.
    """

    def __init__(self, settings: LlmSettings, *, wait: Callable[[float], None] = time.sleep) -> None:
        headers = {"Authorization": f"Bearer {settings.key}"} if settings.key else {}
        self.settings = settings
        self.usage = Usage()
        self._wait = wait
        self._lock = threading.Lock()
        self._client = httpx.Client(timeout=settings.timeout, headers=headers)

    def __enter__(self) -> Self:
        """Use it in a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._client.close()

    def ask(self, messages: Sequence[Message], *, temperature: float) -> str:
        """Return the content of the answer.

        Raises
        ------
        UsageError
            When the address refuses the key, does not know the model or the path, or rejects the request.
        LlmError
            When it gives no answer within the tries.
        """
        body = {"model": self.settings.model, "messages": list(messages), "temperature": temperature}
        reason = ""
        for number in range(self.settings.tries):
            if number:
                self._count(retries=1)
            answer, reason, after = self._try(body)
            if answer is not None:
                return answer
            if number + 1 < self.settings.tries:
                self._wait(min(LONGEST_WAIT, _BACKOFF * 2**number if after is None else after))
        raise LlmError(
            f"{self.settings.url} gave no answer in {self.settings.tries} tries ({reason}); answers so far are "
            "kept: run the same command again to go on."
        )

    def _try(self, body: dict[str, Any]) -> tuple[str | None, str, float | None]:
        """Return (content, "", None), or (None, why not, seconds to wait if the address said so)."""
        self._count(calls=1)
        try:
            response = self._client.post(f"{self.settings.url}/chat/completions", json=body)
        except httpx.TimeoutException:
            return None, f"no answer within {self.settings.timeout:g} s", None
        except httpx.TransportError as error:
            return None, f"{type(error).__name__}: {error}", None
        if response.status_code in _TRANSIENT:
            return None, f"status {response.status_code}", _retry_after(response)
        if response.status_code != httpx.codes.OK:
            raise UsageError(
                f"{self.settings.url} answered {response.status_code} for the model {self.settings.model}: check "
                f"STANCE_LLM_URL, STANCE_LLM_KEY and the name. It said: {response.text[:200]!r}"
            )
        return self._content(response)

    def _content(self, response: httpx.Response) -> tuple[str | None, str, float | None]:
        try:
            content = response.json()
            answer = content["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError):
            return None, "an answer that is no chat completion", None
        if not isinstance(answer, str):
            return None, "an answer without text", None
        usage = content.get("usage") or {}
        self._count(
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
        )
        return answer, "", None

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, number in more.items():
                setattr(self.usage, name, getattr(self.usage, name) + number)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that Retry-After asks for, as a number or as a date."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        then, sent = (email.utils.parsedate_to_datetime(date) for date in (value, response.headers.get("Date", "")))
    except ValueError:
        return None
    # A date without a zone is in UTC.
    then, sent = (date if date.tzinfo else date.replace(tzinfo=dt.UTC) for date in (then, sent))
    return max(0.0, (then - sent) / dt.timedelta(seconds=1))

"""What a site's robots.txt allows, by RFC 9309: absent means all, unreachable means nothing for now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protego import Protego

_MAX_BYTES = 512 * 1024
_MAX_DELAY = 60.0


class Rules:
    """One host's rules for one user agent.

    Parameters
    ----------
    content : bytes or None
        The file; None when it could not be reached, which disallows everything.
    user_agent : str
    """

    def __init__(self, content: bytes | None, *, user_agent: str) -> None:
        self._agent = user_agent
        self._parsed: Protego | None = None
        if content is not None:
            from protego import Protego

            self._parsed = Protego.parse(content[:_MAX_BYTES].decode("utf-8", errors="replace"))

    @property
    def reachable(self) -> bool:
        """Whether the file, or its absence, could be read."""
        return self._parsed is not None

    def allow(self, url: str) -> bool:
        """Say whether an address may be fetched."""
        return self._parsed is not None and bool(self._parsed.can_fetch(url, self._agent))

    @property
    def delay(self) -> float:
        """Return the seconds between requests that are asked for, 0 when none."""
        asked = self._parsed.crawl_delay(self._agent) if self._parsed is not None else None
        return min(float(asked or 0.0), _MAX_DELAY)

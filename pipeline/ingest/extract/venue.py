"""Where something was said, when the page has no place of its own: the forum that its title names."""

from __future__ import annotations

import re

_FORUMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"regular press conference|(?:joint )?(?:press|news) conference|(?:weekly |press |daily )?briefing(?! by)",
        r"interview (?:with|to|for) (?:the )?[\w“\"][^,;(]{1,60}",
        r"UN(?:SC|GA)? (?:Security Council|General Assembly)?(?: open)? (?:debate|meeting|briefing)",
        r"(?:совместн\w+ )?пресс-конференци[ия]|брифинг(?=а|е)?|интервью [^,;(]{1,60}",
        r"例行记者会|吹风会|记者招待会|记者会|专访|答记者问",
    )
)


def venue_of(title: str) -> str:
    """Return the forum that a title names ("Regular Press Conference", "interview with ..."), else nothing."""
    found = [match for match in (form.search(title) for form in _FORUMS) if match]
    return min(found, key=re.Match.start).group().strip() if found else ""

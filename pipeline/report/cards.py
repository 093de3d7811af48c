"""Cards in Markdown as parts of the page: no raw HTML, no image, no link."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

_DEEPER = 3
"""How many levels a card's headings sink below the page's."""
_HEADING = re.compile(r"(</?h)([1-6])(?=>)")


def card_html(text: str) -> Markup:
    """Render a card; markup in it is shown as text, and what it links to as words, so that no request leaves."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink"])
    rendered = reader.render(text).replace("<table>", '<table class="small">')
    # The renderer has escaped every character of the text.
    return Markup(_HEADING.sub(lambda m: f"{m[1]}{min(6, int(m[2]) + _DEEPER)}", rendered))  # noqa: S704

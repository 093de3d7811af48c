"""Colours of charts and page, each with its counterpart on a dark ground.

The light values stand in the SVG as written; a rule per colour in the page's style sheet exchanges them on
a dark screen, so that one drawing serves both. China and Russia have the vermilion and the blue of Okabe
and Ito (2008), which stay apart under the common colour deficiencies; marker and dash tell them apart without
colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

INK: Final = "#1d2329"
MUTED: Final = "#5b6670"
RULE: Final = "#98a2ab"
GRID: Final = "#e3e7ea"
PAPER: Final = "#fdfdfc"
FIRST: Final = "#c44e00"
SECOND: Final = "#0068a8"
JOINT: Final = "#00735c"
TALK: Final = "#7a3b8f"
EMPTY: Final = "#eef0f2"
HATCH: Final = "#c9cfd5"
ALARM: Final = "#a40f26"
MARK: Final = "#fff0b3"

DARK: Final[Mapping[str, str]] = {
    INK: "#e8eaec", MUTED: "#a9b3bc", RULE: "#6f7a84", GRID: "#2c343b", PAPER: "#14181c",
    FIRST: "#ff9550", SECOND: "#5db7f0", JOINT: "#3cc7a4", TALK: "#d29be6", EMPTY: "#1c2227",
    HATCH: "#3d4750", ALARM: "#ff8a98", MARK: "#5c4a00",
}  # fmt: skip
"""Dark counterpart of every light colour."""

NAMES: Final[Mapping[str, str]] = {
    INK: "ink", MUTED: "muted", RULE: "rule", GRID: "grid", PAPER: "paper", FIRST: "first",
    SECOND: "second", JOINT: "joint", TALK: "talk", EMPTY: "empty", HATCH: "hatch", ALARM: "alarm", MARK: "mark",
}  # fmt: skip
"""Name of every colour's variable in the page's style sheet."""


def variables(*, dark: bool) -> str:
    """Return the declarations of the colours as CSS variables."""
    return " ".join(f"--{name}: {DARK[light] if dark else light};" for light, name in NAMES.items())


def swaps() -> str:
    """Return the rules that exchange a drawing's colours for the variables."""
    return "\n".join(
        f'.chart svg [fill="{light}"] {{ fill: var(--{name}); }}\n'
        f'.chart svg [stroke="{light}"] {{ stroke: var(--{name}); }}'
        for light, name in NAMES.items()
    )

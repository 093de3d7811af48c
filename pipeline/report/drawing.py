"""Specifications into drawings: SVG with a text alternative, and PNG, without any request to anywhere."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import vl_convert as vlc

from pipeline.report import palette

_VERSION = "6.1"
"""Version of Vega-Lite that the charts are written for."""
_PNG_SCALE = 2.0
_TAG = re.compile(r"<[^>]*>")
_LINK = re.compile(
    r'<a xlink:href="[^"#]*#q-([\w-]+)~(\d*)~(\d*)"><path aria-label="([^"]*)" '
    r'role="graphics-symbol" aria-roledescription="[^"]*"'
)
"""How Vega draws a linked point; it puts a base address before the fragment, which must not stay."""
_SILENT = re.compile(r'<g class="mark-(?=text|rule|rect|area|line)')
_SILENCED = '<g aria-hidden="true" class="mark-'
_IDLE = re.compile(
    r' (?:opacity="1"|font-family="[^"]*"|role="graphics-[^"]*"|aria-roledescription="[^"]*")(?=[^<]*>)'
)
"""What a drawing within the page can do without: defaults, and the page's own font."""
_GROUND = re.compile(r'<path class="(?:back|fore)ground"[^>]*?(?:/>|></path>)')
_CLASS = re.compile(r' class="(?:mark|role)-[^"]*"')
"""What Vega adds to be scripted by: grounds that show nothing, and names of groups; a seventh of a drawing."""
_LONG = re.compile(r"(?<=\d)\.\d{3,}")
_FINE = re.compile(r"(?<=\d)\.\d{2,}")
_PLACES = re.compile(r' (?:d|transform|[xy][12])="[^"]*"')
_PATTERN = (
    '<defs><pattern id="{ident}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    f'patternTransform="rotate(45)"><rect width="6" height="6" fill="{palette.EMPTY}"/>'
    f'<line x1="0" y1="0" x2="0" y2="6" stroke="{palette.HATCH}" stroke-width="1.6"/></pattern></defs>'
)


def svg(spec: dict[str, Any], *, ident: str, title: str = "", text: str = "") -> str:
    """Draw a specification as SVG.

    Parameters
    ----------
    spec : dict
        A Vega-Lite specification that carries its own data.
    ident : str
        Prefix of the ids inside, so that several drawings can stand on one page.
    title, text : str
        Text alternative; without it the drawing is hidden from assistive technology, for a page that
        gives the alternative itself. Links in it stay reachable, and nothing else is read out.
    """
    drawn: str = vlc.vegalite_to_svg(spec, vl_version=_VERSION, allowed_base_urls=[])
    drawn = _LINK.sub(_linked, _TAG.sub(lambda tag: _renamed(tag[0], ident), drawn))
    return _described(drawn, title, text, linked="<a " in drawn).replace(
        "</svg>", f"{_PATTERN.format(ident=ident)}</svg>"
    )


def _renamed(tag: str, ident: str) -> str:
    """Prefix the ids in a tag, round its coordinates, and turn the flat fill of empty periods into a hatch.

    A hatch reads as absence in black and white too. Text between tags is left as it is.
    """
    if tag.startswith(("<path", "<line", "<rect", "<g ")) and "aria-label" not in tag:
        tag = _LONG.sub(_rounded, tag)
    tag = tag.replace(' id="', f' id="{ident}-').replace("url(#", f"url(#{ident}-")
    return tag.replace(f'fill="{palette.EMPTY}"', f'fill="url(#{ident}-hatch)"')


def _rounded(decimals: re.Match[str]) -> str:
    """Cut decimals to two; a hundredth of a pixel is seen by nobody."""
    return decimals[0][:3]


def _linked(link: re.Match[str]) -> str:
    """Turn a linked point into a link within the page, named, with numbers of target and actor as data."""
    period, target, actor, name = link.groups()
    data = "".join(f' data-{key}="{value}"' for key, value in (("t", target), ("c", actor)) if value)
    return f'<a href="#q-{period}"{data} class="point"><title>{name}</title><path'


def _described(drawn: str, title: str, text: str, *, linked: bool) -> str:
    head, body = drawn.split(">", maxsplit=1)
    if not title:
        body = _plain(body)
    if not title and linked:
        return f'{head} role="group">{body}'
    if not title:
        return f'{head} aria-hidden="true" focusable="false">{body}'
    names = f"<title>{escape(title)}</title><desc>{escape(text)}</desc>"
    return f'{head} role="img" aria-label="{escape(title)}">{names}{body}'


def _plain(body: str) -> str:
    """Return a drawing's inside as the page needs it: only links are read out, places are to a tenth of a pixel."""
    body = _GROUND.sub("", _IDLE.sub("", _SILENT.sub(_SILENCED, body)))
    return _TAG.sub(lambda tag: _PLACES.sub(_coarse, tag[0]), _CLASS.sub("", body))


def _coarse(places: re.Match[str]) -> str:
    return _FINE.sub(lambda decimals: decimals[0][:2], places[0])


def png(drawing: str) -> bytes:
    """Rasterise a drawing at twice its size."""
    return bytes(vlc.svg_to_png(drawing, scale=_PNG_SCALE))

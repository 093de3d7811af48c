"""State of crawls: how far each walk through a listing has come, and what became of each address.

Every step is one transaction, so that a crawl that is killed goes on where it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.store import Store

State: TypeAlias = Literal["todo", "done", "skipped", "blocked", "failed", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A way through one listing; `next_url` is what it would read next, empty when it is at the end.

    `since` is the date at which it was cut short, empty when it was not.
    """

    walk_id: int
    source: str
    listing: str
    next_url: str
    page: int
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An address as a listing shows it, with what stands beside it; `state` is what it begins with."""

    url: str
    title: str = ""
    published: str = ""
    state: State = "todo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address of a document, and what a conditional request for it needs."""

    url: str
    title: str
    published: str
    etag: str
    last_modified: str


_WALK = "walk_id, source, listing, next_url, page, since"
_ADDRESS = "url, title, published, etag, last_modified"


def begin_walk(store: Store, source: str, listing: str, *, next_url: str, now: str) -> Walk:
    """Begin a walk at a listing's first page; it takes the place of those that came past no page."""
    with store.transaction() as db:
        db.execute(
            "DELETE FROM walks WHERE source = ? AND listing = ? AND page = 0 AND since = '' AND next_url <> ''",
            (source, listing),
        )
        number = db.execute(
            "INSERT INTO walks (source, listing, next_url, page, since, started_at) VALUES (?, ?, ?, 0, '', ?)",
            (source, listing, next_url, now),
        ).lastrowid
    return Walk(walk_id=number or 0, source=source, listing=listing, next_url=next_url, page=0, since="")


def open_walks(store: Store, source: str, listing: str, *, since: str) -> list[Walk]:
    """Return the walks that have not come to the end, newest first.

    One that was cut short at a date is among them only if `since` (empty: from the beginning) is earlier.
    """
    found = store.rows(
        f"SELECT {_WALK} FROM walks WHERE source = ? AND listing = ? AND next_url <> '' "  # noqa: S608 - fixed
        "AND (since = '' OR since > ?) ORDER BY walk_id DESC",
        (source, listing, since),
    )
    return [
        Walk(walk_id=row[0], source=row[1], listing=row[2], next_url=row[3], page=row[4], since=row[5])
        for row in found
    ]


def advance(
    store: Store,
    walk: Walk,
    *,
    next_url: str,
    since: str = "",
    listed_on: str,
    listed: Iterable[Listed],
    validators: tuple[str, str] = ("", ""),
) -> int:
    """Note a listing page's addresses and where the walk goes on, in one step; return how many are new.

    A walk that is cut short at the date `since` stays before the page.
    """
    with store.transaction() as db:
        new = sum(_note(db, walk, listed_on, item) for item in listed)
        db.execute(
            "UPDATE walks SET next_url = ?, page = page + ?, since = ? WHERE walk_id = ?",
            (next_url, 0 if since else 1, since, walk.walk_id),
        )
        db.execute("INSERT OR REPLACE INTO validators VALUES (?, ?, ?, ?)", (walk.source, listed_on, *validators))
    return new


def _note(db: sqlite3.Connection, walk: Walk, listed_on: str, item: Listed) -> int:
    return db.execute(
        "INSERT INTO addresses (source, url, walk_id, listed_on, title, published, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (walk.source, item.url, walk.walk_id, listed_on, item.title, item.published, item.state),
    ).rowcount


def stop_walk(store: Store, walk: Walk) -> None:
    """End a walk that has come to what earlier walks have seen."""
    with store.transaction() as db:
        db.execute("UPDATE walks SET next_url = '', since = '' WHERE walk_id = ?", (walk.walk_id,))


def known_before(store: Store, walk: Walk, urls: Iterable[str]) -> bool:
    """Say whether every address was first seen by an earlier walk; False when there are none."""
    wanted = list(urls)
    marks = ", ".join("?" * len(wanted))
    (count,) = store.rows(
        f"SELECT count(*) FROM addresses WHERE source = ? AND walk_id < ? AND url IN ({marks})",  # noqa: S608
        (walk.source, walk.walk_id, *wanted),
    )[0]
    return bool(wanted) and count == len(set(wanted))


def validators_of(store: Store, source: str, url: str) -> tuple[str, str]:
    """Return ETag and Last-Modified of a listing's first page, empty where not known."""
    found = store.rows("SELECT etag, last_modified FROM validators WHERE source = ? AND url = ?", (source, url))
    return (found[0][0], found[0][1]) if found else ("", "")


def next_address(store: Store, source: str, state: State = "todo") -> Address | None:
    """Return the next address in a state, the newest listed first; None when there is none."""
    found = store.rows(
        f"SELECT {_ADDRESS} FROM addresses WHERE source = ? AND state = ? "  # noqa: S608 - fixed names
        "ORDER BY published DESC, url DESC LIMIT 1",
        (source, state),
    )
    return _address(found[0]) if found else None


def recent_addresses(store: Store, source: str, *, since: str, before: str) -> list[Address]:
    """Return the addresses published on or after a date and last fetched before a moment, in order of address.

    Only those whose answers can be asked for conditionally are among them.
    """
    found = store.rows(
        f"SELECT {_ADDRESS} FROM addresses WHERE source = ? AND state = 'done' "  # noqa: S608 - fixed names
        "AND published >= ? AND fetched_at < ? AND (etag <> '' OR last_modified <> '') ORDER BY url",
        (source, since, before),
    )
    return [_address(row) for row in found]


def attach(db: sqlite3.Connection, source: str, parent: Address, listed: Iterable[Listed]) -> None:
    """Note, within a transaction, what belongs to a page, as if its listing had shown it."""
    db.executemany(
        "INSERT INTO addresses (source, url, walk_id, listed_on, title, published, state) "
        "SELECT ?, ?, walk_id, ?, ?, ?, ? FROM addresses WHERE source = ? AND url = ? ON CONFLICT DO NOTHING",
        [(source, i.url, parent.url, i.title, i.published, i.state, source, parent.url) for i in listed],
    )


def _address(row: tuple[str, str, str, str, str]) -> Address:
    url, title, published, etag, last_modified = row
    return Address(url=url, title=title, published=published, etag=etag, last_modified=last_modified)


def retry_failed(store: Store, source: str) -> int:
    """Put addresses that failed or were blocked back among those to do; return how many."""
    with store.transaction() as db:
        return db.execute(
            "UPDATE addresses SET state = 'todo' WHERE source = ? AND state IN ('failed', 'blocked')", (source,)
        ).rowcount


def unskip(store: Store, source: str, *, since: str, until: str) -> int:
    """Put addresses that were out of an earlier run's dates, and are within this one's, among those to do."""
    with store.transaction() as db:
        return db.execute(
            "UPDATE addresses SET state = 'todo' WHERE source = ? AND state = 'skipped' "
            "AND published >= ? AND (? = '' OR substr(published, 1, 10) <= ?)",
            (source, since, until, until),
        ).rowcount


def settle(
    db: sqlite3.Connection,
    source: str,
    url: str,
    state: State,
    *,
    now: str,
    note: str = "",
    validators: tuple[str, str] = ("", ""),
    published: str = "",
) -> None:
    """Write, within a transaction, what became of an address."""
    db.execute(
        "UPDATE addresses SET state = ?, note = ?, etag = ?, last_modified = ?, fetched_at = ?, "
        "published = CASE WHEN published = '' THEN ? ELSE published END WHERE source = ? AND url = ?",
        (state, note, *validators, now, published, source, url),
    )


def states(store: Store, source: str) -> Mapping[str, int]:
    """Return how many addresses are in each state."""
    return dict(store.rows("SELECT state, count(*) FROM addresses WHERE source = ? GROUP BY state", (source,)))


def held_by_listing(store: Store, source: str, listed_on: str) -> list[str]:
    """Return the addresses that a listing page showed when it was last read."""
    return [
        str(url)
        for (url,) in store.rows(
            "SELECT url FROM addresses WHERE source = ? AND listed_on = ? ORDER BY url", (source, listed_on)
        )
    ]

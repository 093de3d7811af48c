"""The archive of raw responses: WARC files (ISO 28500) beside the store, from which all else can be rebuilt.

Each run of a source writes a file of its own, one record a gzip member, synced before anything derived from
it is stored. A run that is killed can leave a last record that is cut off: it was never derived from, and
reading passes over it.

A file's name is NAME-MOMENT-PROCESS-NUMBER.warc.gz. MOMENT and NUMBER say which run came first, also where the
clock stood still or was set back; the process's id does not, as ids begin again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import heapq
import io
import itertools
import logging
import os
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, NamedTuple, Self, TypeAlias

from pipeline.errors import DataError, StoreError

Role: TypeAlias = Literal["document", "listing", "file"]
"""What a record is: a page of one document, a page that lists documents, a user's file."""

_LOG = logging.getLogger(__name__)
_CHUNKED_BYTES = 64 * 1024 * 1024
_MOMENT = "%Y%m%dT%H%M%S%f"
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
_SOURCE, _ROLE, _TITLE, _PUBLISHED = "Stance-Source", "Stance-Role", "Stance-Title", "Stance-Published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One raw response or file, as it came.

    `body` is as it was sent, possibly compressed; `headers` has names in lower case.
    """

    url: str
    source: str
    role: Role
    fetched_at: dt.datetime
    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    title: str = ""
    published: str = ""

    def header(self, name: str) -> str:
        """Return a header's first value, an empty string when absent."""
        return next((value for key, value in self.headers if key == name), "")


class Archive:
    """A folder of WARC files; a file is made at the first record. Use as a context manager.

    Parameters
    ----------
    folder : Path
        Made when absent.
    name : str
        Beginning of the file's name, as the source's id.
    now : datetime
        When the run began.

    Raises
    ------
    StoreError
        When the folder or file cannot be written.
    """

    def __init__(self, folder: Path, *, name: str, now: dt.datetime) -> None:
        self._folder = folder
        self._name = name
        self._began = now.astimezone(dt.UTC)
        self._path = folder
        self._stream: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def append(self, record: Record) -> None:
        """Write one record and wait until it is on the disk."""
        try:
            if self._stream is None:
                self._stream = self._opened()
            self._stream.write(_packed(record))
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise StoreError(
                f"cannot write the archive {self._path}: {error.strerror}. Free space or mend it."
            ) from None

    def _opened(self) -> IO[bytes]:
        """Open a file of this run's own; nothing is ever appended to what an earlier run wrote."""
        self._folder.mkdir(parents=True, exist_ok=True)
        latest = max((place for _, place in map(_placed, _files(self._folder))), default=_Place(_NEVER, -1))
        began = max(self._began, latest.moment)
        first = latest.number + 1 if began == latest.moment else 0
        for number in itertools.count(first):
            self._path = self._folder / f"{self._name}-{began:{_MOMENT}}-{os.getpid()}-{number:03d}.warc.gz"
            with contextlib.suppress(FileExistsError):
                return self._path.open("xb")
        raise AssertionError("unreachable: some number is free")


def _packed(record: Record) -> bytes:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="1.1")
    extra = {
        "WARC-Date": record.fetched_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        _SOURCE: record.source, _ROLE: record.role, _TITLE: _one_line(record.title), _PUBLISHED: record.published,
    }  # fmt: skip
    http = None
    if record.role != "file":
        http = StatusAndHeaders(f"{record.status} ", list(record.headers), protocol="HTTP/1.1")
    made = writer.create_warc_record(
        record.url,
        "resource" if record.role == "file" else "response",
        payload=io.BytesIO(record.body),
        length=len(record.body),
        http_headers=http,
        warc_content_type=record.header("content-type") if record.role == "file" else "",
        warc_headers_dict={key: value for key, value in extra.items() if value},
    )
    writer.write_record(made)
    return buffer.getvalue()


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Place(NamedTuple):
    """Where a run's file stands among others: when the run began, and its number among those of one moment."""

    moment: dt.datetime
    number: int


def read_archive(folder: Path) -> Iterator[Record]:
    """Yield the records of an archive's files in the order in which they were fetched.

    The runs of one source follow one another. Those of several sources may have gone on at the same time; their
    records are merged by the time of each, but none comes before its run began (a user's file may be dated
    anyhow). Files of other names come first.
    """
    runs: defaultdict[str, list[tuple[_Place, Path]]] = defaultdict(list)
    for path in _files(folder):
        name, place = _placed(path)
        runs[name].append((place, path))
    streams = [_in_order(sorted(files)) for _, files in sorted(runs.items())]
    for _, record in heapq.merge(*streams, key=itemgetter(0)):
        yield record


def _in_order(files: Iterable[tuple[_Place, Path]]) -> Iterator[tuple[_Place, Record]]:
    for place, path in files:
        for record in read_warc(path):
            moment = max(place.moment, record.fetched_at) if place.moment > _NEVER else _NEVER
            yield _Place(moment, place.number), record


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.warc.gz"))


def _placed(path: Path) -> tuple[str, _Place]:
    """Return the name that a file's runs share and its place among them; both empty for another's file."""
    parts = path.name.removesuffix(".warc.gz").rsplit("-", 3)
    try:
        name, moment, _process, number = parts
        return name, _Place(dt.datetime.strptime(moment, _MOMENT).replace(tzinfo=dt.UTC), int(number))
    except ValueError:
        return "", _Place(_NEVER, -1)


def read_warc(path: Path) -> Iterator[Record]:
    """Yield the responses and resources of one WARC file, ours or another crawler's; a cut-off tail is left out.

    Raises
    ------
    DataError
        When it is no WARC file.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    if not _begins_as_warc(path):
        raise DataError(f"{path} is not a WARC file.")
    with path.open("rb") as stream:
        try:
            for record in ArchiveIterator(stream):
                if record.rec_type in {"response", "resource"}:
                    read = _read_record(record)
                    if read is None:
                        break
                    yield read
            else:
                return
        # A record may be cut off anywhere, and the library breaks in as many ways.
        except (ArchiveLoadFailed, EOFError, zlib.error, ValueError, TypeError, AttributeError) as error:
            _LOG.debug("%s: %r", path, error)
    _LOG.warning("%s: its last record is cut off, and left out", path)


def _begins_as_warc(path: Path) -> bool:
    """Say whether a file begins as a WARC file does, as far as it goes."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if b"\x1f\x8b".startswith(head[:2]):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 64)
        except zlib.error:
            return False
    return head.startswith(b"WARC/") or b"WARC/".startswith(head)


def _read_record(record: Any) -> Record | None:
    """Return a record of the library as ours; None when its body is shorter than it says."""
    http = record.http_headers
    if http is None and (record.rec_headers.get_header("Content-Type") or "").startswith("application/http"):
        return None  # cut off between the record's headers and the response's
    before = http.total_len if http is not None else 0
    headers = tuple((key.lower(), value) for key, value in http.headers) if http is not None else ()
    if any(key == "transfer-encoding" and "chunked" in value.lower() for key, value in headers):
        # Another crawler's: ours are written without chunks.
        body = record.content_stream().read(_CHUNKED_BYTES)
        headers = tuple(h for h in headers if h[0] not in {"transfer-encoding", "content-encoding"})
    else:
        body = record.raw_stream.read()
        if before + len(body) < record.length:
            return None
    warc = record.rec_headers
    if not warc.get_header("WARC-Date"):
        raise ValueError("a record without a date")
    if http is None and (kind := warc.get_header("Content-Type")):
        headers = (("content-type", kind),)
    role: Role = warc.get_header(_ROLE) or ("document" if http is not None else "file")
    return Record(
        url=warc.get_header("WARC-Target-URI") or "",
        source=warc.get_header(_SOURCE) or "",
        role=role,
        fetched_at=dt.datetime.fromisoformat(warc.get_header("WARC-Date")).astimezone(dt.UTC),
        body=body,
        status=int(http.get_statuscode()) if http is not None else 200,
        headers=headers,
        title=warc.get_header(_TITLE) or "",
        published=warc.get_header(_PUBLISHED) or "",
    )

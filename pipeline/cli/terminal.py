"""Single keys from a terminal, and text that cannot command it."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterator

from pipeline.errors import UsageError

END = "\x04"
"""What is read when there is nothing more to read, and what Ctrl-D sends."""
_ESCAPE = "\x1b"
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]?|O.|.)?", re.DOTALL)
_ESCAPE_SECONDS = 0.05
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Replace what could command a terminal or turn the direction of writing; line feeds and tabs stay."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


@contextlib.contextmanager
def single_keys() -> Iterator[Callable[[], str]]:
    """Give a function that waits for one key on the terminal and returns it, unseen and without Return.

    A key that sends several characters (an arrow) is returned as one escape: it must not be taken for the
    letter at its end. Input that has ended reads as `END`.

    Raises
    ------
    UsageError
        When standard input is no terminal, or the system has no POSIX terminals.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("labelling by keys needs a terminal; elsewhere use `annotate export` and `import`.")
    try:
        import termios
        import tty
    except ImportError:
        raise UsageError(
            "labelling by keys needs a POSIX terminal; use `annotate export` and `annotate import`."
        ) from None
    where = sys.stdin.fileno()
    before = termios.tcgetattr(where)

    def prepare(*_: object) -> None:
        tty.setcbreak(where, termios.TCSANOW)  # what was typed ahead is kept

    resumed = signal.signal(signal.SIGCONT, prepare)  # the shell takes the terminal back while we are suspended
    try:
        prepare()
        yield _reader(where)
    finally:
        signal.signal(signal.SIGCONT, resumed)
        termios.tcsetattr(where, termios.TCSADRAIN, before)


def _reader(where: int) -> Callable[[], str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    pending = ""

    def take(size: int) -> bool:
        nonlocal pending
        read = os.read(where, size)
        pending += decoder.decode(read)
        return bool(read)

    def key() -> str:
        nonlocal pending
        while not pending:
            if not take(64):
                return END
        if pending == _ESCAPE and select.select([where], [], [], _ESCAPE_SECONDS)[0]:
            take(64)
        found = _SEQUENCE.match(pending)
        used = found[0] if found else pending[0]
        pending = pending[len(used) :]
        return _ESCAPE if found else used

    return key

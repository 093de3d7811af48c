"""Drafts: a file appears whole or not at all, and what a killed run wrote is gone on with, never doubled."""

import json
import signal
import subprocess
import sys

import pytest

from pipeline.errors import PartialError, StanceError, UsageError
from pipeline.tables import open_draft


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out" / "tags.csv"


def names(output):
    return sorted(path.name for path in output.parent.iterdir())


def killed(output, *stretches, torn=b"", work="w"):
    """Write stretches, then something unfinished, and die without a word."""
    program = f"""
import os, signal
from pathlib import Path
from pipeline.tables import open_draft
with open_draft(Path({str(output)!r}), {work!r}) as draft:
    for number, stretch in enumerate({list(stretches)!r}, start=1):
        draft.append(stretch, rows=number, digest=f"d{{number}}")
    os.write(draft._stream.fileno(), {torn!r})
    os.kill(os.getpid(), signal.SIGKILL)
"""
    run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert run.returncode == -signal.SIGKILL, run.stderr


def test_the_file_appears_at_the_end_with_every_stretch(output):
    with open_draft(output, "w") as draft:
        draft.append(b"one\n", rows=1, digest="a")
        assert not output.exists()
        draft.append(b"two\n", rows=2, digest="b")
    assert output.read_bytes() == b"one\ntwo\n"
    assert names(output) == ["tags.csv"]


def test_nothing_written_makes_an_empty_file(output):
    with open_draft(output, "w"):
        pass
    assert output.read_bytes() == b""


def test_a_killed_run_leaves_what_was_there_and_is_gone_on_with(output):
    output.parent.mkdir()
    output.write_text("as it was")
    killed(output, b"one\n", b"two\n", torn=b"thr")
    assert output.read_text() == "as it was"
    with open_draft(output, "w", resume=True) as draft:
        assert (draft.progress.rows, draft.progress.digest, draft.progress.size) == (2, "d2", 8)
        draft.append(b"three\n", rows=3, digest="d3")
    assert output.read_bytes() == b"one\ntwo\nthree\n"
    assert names(output) == ["tags.csv"]


def test_without_resume_a_killed_run_is_forgotten(output):
    killed(output, b"one\n", b"two\n", torn=b"thr")
    with open_draft(output, "w") as draft:
        assert draft.progress.rows == draft.progress.size == 0
        draft.append(b"new\n", rows=1, digest="n")
    assert output.read_bytes() == b"new\n"


def test_a_run_that_forgot_the_last_one_and_was_killed_at_once_leaves_no_false_note(output):
    killed(output, b"one\n")
    killed(output, torn=b"something longer than before")
    with open_draft(output, "w", resume=True) as draft:
        assert draft.progress.rows == draft.progress.size == 0


def test_resuming_nothing_is_beginning(output):
    with open_draft(output, "w", resume=True) as draft:
        assert draft.progress.rows == 0
        draft.append(b"one\n", rows=1, digest="a")
    assert output.read_bytes() == b"one\n"


def test_a_note_of_more_than_is_there_is_not_believed(output):
    killed(output, b"one\n", b"two\n")
    part = output.with_name(".tags.csv.part")
    part.write_bytes(part.read_bytes()[:-1])
    with open_draft(output, "w", resume=True) as draft:
        assert draft.progress.rows == draft.progress.size == 0
        assert part.stat().st_size == 0


def test_other_work_is_not_gone_on_with_and_stays(output):
    killed(output, b"one\n")
    with pytest.raises(UsageError, match="begun with another model, other targets or another format"):
        open_draft(output, "other", resume=True).__enter__()
    with open_draft(output, "w", resume=True) as draft:
        assert draft.progress.rows == 1


@pytest.mark.parametrize("note", ["{", "[]", '{"rows": 1}', '{"x": 1}'])
def test_a_damaged_note_is_named(output, note):
    killed(output, b"one\n")
    output.with_name(".tags.csv.progress").write_text(note)
    with pytest.raises(UsageError, match="progress does not read; run again without --resume"):
        open_draft(output, "w", resume=True).__enter__()


def test_two_runs_do_not_write_one_file(output):
    with open_draft(output, "w") as draft:
        draft.append(b"one\n", rows=1, digest="a")
        with pytest.raises(UsageError, match="another run is writing"):
            open_draft(output, "w").__enter__()
        draft.append(b"two\n", rows=2, digest="b")
    assert output.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("error", "raised", "kept"),
    [
        (UsageError("bad row"), UsageError, False),  # the input must be mended: nothing to go on with
        (ValueError("slip"), ValueError, False),
        (StanceError("worker died"), StanceError, True),
        (KeyboardInterrupt(), PartialError, True),
    ],
)
def test_a_failure_leaves_a_draft_only_where_going_on_makes_sense(output, error, raised, kept):
    def fail():
        with open_draft(output, "w") as draft:
            draft.append(b"one\n", rows=1, digest="a")
            raise error

    with pytest.raises(raised):
        fail()
    assert names(output) == ([".tags.csv.part", ".tags.csv.progress"] if kept else [])


def test_an_interruption_before_anything_was_written_leaves_nothing(output):
    def fail():
        with open_draft(output, "w"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(output) == []


def test_the_file_can_be_made_of_the_draft(output):
    def finish(draft, made):
        made.write_bytes(draft.read_bytes().upper())

    with open_draft(output, "w", finish=finish) as draft:
        draft.append(b"one\n", rows=1, digest="a")
    assert output.read_bytes() == b"ONE\n"
    assert names(output) == ["tags.csv"]


def test_a_folder_that_is_none_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StanceError, match="cannot write"):
        open_draft(tmp_path / "file" / "tags.csv", "w").__enter__()


def test_every_note_is_whole_and_says_where_the_draft_counts_to(output):
    with open_draft(output, "w") as draft:
        for number in range(1, 4):
            draft.append(b"x" * number, rows=number * 10, digest=str(number))
            note = json.loads(output.with_name(".tags.csv.progress").read_text())
            part = output.with_name(".tags.csv.part")
            assert note == {"work": "w", "rows": number * 10, "size": part.stat().st_size, "digest": str(number)}
    assert names(output) == ["tags.csv"]

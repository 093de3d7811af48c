"""Archives: one result, however the work is spread, stopped and gone on with; memory stays bounded."""

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.classify.archive import local, tag_archive, tag_stream
from pipeline.errors import DataError, UsageError
from tests.conftest import tiny_text

KINDS = ("csv", "jsonl", "parquet")


@pytest.fixture
def statements(make_statement):
    texts = [tiny_text(n)[0] + " Fresh." if n % 3 else f"Bread number {n} was read out." for n in range(40)]
    return [make_statement(n, statement_id=f"s{n}", text=text) for n, text in enumerate(texts)]


def written(model, statements, output, **options):
    done = list(tag_archive(model, statements, output, **{"kind": "csv", "unit": 8, **options}))
    return output.read_bytes(), done


def stopping(statements, after, error):
    yield from statements[:after]
    raise error


@pytest.mark.parametrize("kind", KINDS)
def test_workers_stop_and_resume_give_the_same_bytes(tiny_model, statements, tmp_path, kind):
    whole, done = written(tiny_model, statements, tmp_path / "whole", kind=kind)
    assert sum(part.statements for part in done) == 40
    assert len(done) == 5
    spread, _ = written(tiny_model, statements, tmp_path / "spread", kind=kind, engine=local(2))
    assert spread == whole
    output = tmp_path / "resumed"
    with pytest.raises(Exception, match="stopped after 24 statements"):
        written(tiny_model, stopping(statements, 27, KeyboardInterrupt()), output, kind=kind)
    assert not output.exists()
    resumed, rest = written(tiny_model, statements, output, kind=kind, resume=True)
    assert resumed == whole
    assert sum(part.statements for part in rest) == 16  # what was there was not tagged again
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resumed", "spread", "whole"]


def test_a_stream_is_the_file(tiny_model, statements, tmp_path):
    for kind in ("csv", "jsonl"):
        whole, _ = written(tiny_model, statements, tmp_path / kind, kind=kind)
        assert b"".join(part.content for part in tag_stream(tiny_model, statements, kind=kind, unit=8)) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_is_a_header_out(tiny_model, tmp_path, kind):
    content, done = written(tiny_model, [], tmp_path / "out", kind=kind)
    assert done == []
    assert content.startswith({"csv": b"statement_id,doc_id,", "jsonl": b"", "parquet": b"PAR1"}[kind])
    assert [part.statements for part in tag_stream(tiny_model, [], kind="csv")] == [0]


@pytest.mark.parametrize("change", ["text", "order", "fewer", "speaker"])
def test_another_input_is_not_gone_on_with(tiny_model, statements, tmp_path, change):
    output = tmp_path / "out"
    with pytest.raises(Exception, match="stopped after 16"):
        written(tiny_model, stopping(statements, 20, KeyboardInterrupt()), output)
    other = {
        "text": [dataclasses.replace(statements[0], text="Other."), *statements[1:]],
        "order": [statements[1], statements[0], *statements[2:]],
        "fewer": statements[:15],
        "speaker": [*statements[:15], dataclasses.replace(statements[15], speaker="B. Other"), *statements[16:]],
    }[change]
    with pytest.raises(UsageError, match="first 16 statements of the input are not those"):
        written(tiny_model, other, output, resume=True)


@pytest.mark.parametrize("options", [{"targets": ("railway",)}, {"kind": "jsonl"}, {"unit": 4}])
def test_other_work_is_not_gone_on_with(tiny_model, statements, tmp_path, options):
    output = tmp_path / "out"
    with pytest.raises(Exception, match="stopped after 16"):
        written(tiny_model, stopping(statements, 20, KeyboardInterrupt()), output)
    with pytest.raises(UsageError, match="begun with another model"):
        written(tiny_model, statements, output, resume=True, **options)


def test_a_row_that_does_not_read_stops_and_leaves_nothing(tiny_model, statements, tmp_path):
    for engine in (None, local(2)):
        with pytest.raises(DataError, match="line 30"):
            written(tiny_model, stopping(statements, 30, DataError("line 30")), tmp_path / "out", engine=engine)
        assert list(tmp_path.iterdir()) == []


def test_the_file_is_read_no_further_than_is_written(tiny_model, statements, tmp_path):
    taken = []

    def noted():
        for statement in statements:
            taken.append(statement)
            yield statement

    done = tag_archive(tiny_model, noted(), tmp_path / "out", kind="csv", unit=8)
    next(done)
    assert len(taken) == 8
    done.close()


def test_a_killed_command_goes_on_where_it_was(tiny_models_folder, tiny_corpus, tmp_path):
    """Kill `stance classify` once its first stretch is noted; the rest comes of --resume, to the same bytes."""
    texts = [tiny_text(n)[0] + f" {n}." if n % 20 == 0 else f"Bread, number {n}." for n in range(20_000)]
    lines = [json.dumps({"statement_id": f"s{n}", "text": text, "lang": "en"}) for n, text in enumerate(texts)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    environment = {**os.environ, "STANCE_MODELS": str(tiny_models_folder), "STANCE_CORPUS": str(tiny_corpus)}

    def command(output, *further):
        return [
            sys.executable, "-m", "pipeline", "classify", "in.jsonl", "--output", output, "--workers", "1",
            "--targets", "railway", *further,
        ]  # fmt: skip

    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    run = subprocess.Popen(command("killed.csv"), cwd=tmp_path, env=environment)
    note = tmp_path / ".killed.csv.progress"
    deadline = time.monotonic() + 60
    while not note.exists() and run.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert run.returncode == -signal.SIGKILL
    assert 0 < json.loads(note.read_text())["rows"] < 20_000
    for output, further in (("killed.csv", ["--resume"]), ("whole.csv", [])):
        subprocess.run(command(output, *further), cwd=tmp_path, env=environment, check=True)
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("killed.csv", "whole.csv")}
    assert len(digests) == 1
    assert (tmp_path / "whole.csv").read_bytes().count(b"\n") == 20_001
    assert not note.exists()

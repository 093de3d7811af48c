"""A Dask cluster: the rows of this machine, bit for bit, also when a worker is killed."""

import os
import signal
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.classify import partitions
from pipeline.classify.archive import tag_archive
from pipeline.classify.partitions import tag_partitions
from pipeline.cluster import engine, open_cluster, ordered
from pipeline.errors import DataError, UsageError
from pipeline.tables import read_statements
from tests.conftest import tiny_text


@pytest.fixture(scope="module")
def client():
    with open_cluster(workers=2) as opened:
        yield opened


def rows(n):
    texts = [tiny_text(k)[0] + f" Fresh {k}." if k % 3 else f"Bread number {k}." for k in range(n)]
    return [{"statement_id": f"s{k}", "doc_id": f"d{k // 3}", "text": text} for k, text in enumerate(texts)]


@pytest.fixture
def folder(tmp_path):
    """Make two Parquet files of 30 statements each, in row groups of 10."""
    (tmp_path / "in").mkdir()
    for number in range(2):
        table = pa.Table.from_pylist(rows(60)[number * 30 : number * 30 + 30])
        pq.write_table(table, tmp_path / "in" / f"{number}.parquet", row_group_size=10)
    return tmp_path / "in"


def kill_me_once(marker_and_number):
    """Kill the worker over the fourth item, the first time only."""
    marker, number = marker_and_number
    if number == 3 and not os.path.exists(marker):  # noqa: PTH110
        with open(marker, "w") as stream:  # noqa: PTH123
            stream.write(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return number, os.getpid()


def test_a_cluster_writes_the_bytes_that_this_process_writes(client, tiny_model, folder, tmp_path):
    statements = list(read_statements(folder))
    for kind in ("csv", "parquet"):
        for name, where in (("here", None), ("there", engine(client))):
            list(tag_archive(tiny_model, statements, tmp_path / name, kind=kind, unit=7, engine=where))
        assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()


def test_a_worker_that_is_killed_is_survived(client, tmp_path):
    marker = tmp_path / "killed"
    found = list(ordered(client, kill_me_once, [(str(marker), number) for number in range(12)]))
    assert [number for number, _ in found] == list(range(12))
    victim = int(marker.read_text())
    assert found[3][1] != victim  # somebody else did what it died over


def test_a_folder_of_parts_holds_the_rows_of_one_file(client, tiny_model, folder, tmp_path):
    list(tag_archive(tiny_model, read_statements(folder), tmp_path / "one.parquet", kind="parquet"))
    for name, where in (("here", map), ("there", engine(client))):
        done = list(tag_partitions(tiny_model, folder, tmp_path / name, engine=where))
        assert [tagged.statements for tagged in done] == [10] * 6
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == [
            f"part-0000{n}.parquet" for n in range(6)
        ]
        assert pq.read_table(tmp_path / name).equals(pq.read_table(tmp_path / "one.parquet"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "in", "one.parquet", "there"]


def test_a_folder_goes_on_with_the_parts_that_are_there(tiny_model, folder, tmp_path, monkeypatch):
    done = tag_partitions(tiny_model, folder, tmp_path / "out")
    for _ in range(4):
        next(done)
    done.close()
    assert not (tmp_path / "out").exists()
    written = []
    write = partitions.write_unit

    def noted(model, unit, **options):
        written.append(len(unit))
        return write(model, unit, **options)

    monkeypatch.setattr(partitions, "write_unit", noted)
    with pytest.raises(UsageError, match="begun with another input, model or targets"):
        next(tag_partitions(tiny_model, folder, tmp_path / "out", targets=("railway",), resume=True))
    assert len(list(tag_partitions(tiny_model, folder, tmp_path / "out", resume=True))) == 6
    assert written == [10, 10]
    assert pq.read_table(tmp_path / "out").num_rows == 120
    with pytest.raises(UsageError, match="out exists"):
        next(tag_partitions(tiny_model, folder, tmp_path / "out"))


def test_rows_without_an_id_are_numbered_through_the_folder(tiny_model, folder, tmp_path):
    for path in folder.iterdir():
        table = pq.read_table(path)
        pq.write_table(table.drop_columns(["statement_id"]), path, row_group_size=10)
    list(tag_partitions(tiny_model, folder, tmp_path / "out", targets=("railway",)))
    found = pq.read_table(tmp_path / "out")["statement_id"].to_pylist()
    assert found == [f"row{n}" for n in range(1, 61)]
    assert found == [statement.statement_id for statement in read_statements(folder)]


def test_an_id_that_is_given_in_two_parts_is_refused(tiny_model, folder, tmp_path):
    pq.write_table(pa.Table.from_pylist(rows(3)), folder / "2.parquet")
    with pytest.raises(DataError, match="3 statement_ids were given before"):
        list(tag_partitions(tiny_model, folder, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_row_that_is_no_statement_is_named_with_its_line(client, tiny_model, folder, tmp_path):
    pq.write_table(pa.table({"text": ["a", "b", None]}), folder / "2.parquet")
    for where in (map, engine(client)):
        with pytest.raises(DataError, match=r"2\.parquet, line 63: no text"):
            list(tag_partitions(tiny_model, folder, tmp_path / "out", engine=where))


def test_a_scheduler_that_does_not_answer_is_named():
    with pytest.raises(UsageError, match="no Dask scheduler answers at nowhere"), open_cluster(scheduler="nowhere"):
        pass


def test_without_the_extra_the_message_names_it(tmp_path):
    program = (
        "import sys; sys.modules['dask'] = None\n"
        "from pipeline.cli.app import main\n"
        "sys.exit(main(['classify', '--text', 'a', '--engine', 'dask']))"
    )
    run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr == "stance: --engine dask needs the extra `dask`: pip install 'stance-convergence[dask]'.\n"

"""The store: loading twice changes nothing, nothing stored is lost, and every failure is one clear line."""

import datetime as dt
import sqlite3
from importlib import resources

import pytest

from pipeline import store as store_module
from pipeline.errors import StoreError
from pipeline.schema import Coding, Label, Tag
from pipeline.store import Loaded, Store

NOW = dt.datetime(2031, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def label(number: int = 1, stance: str = "favor", **fields) -> Label:
    return Label(statement_id=f"x{number}", target=fields.pop("target", "harbour"), stance=stance, **fields)


def tag(target: str = "harbour", stance: str = "favor", **fields) -> Tag:
    given = {"probabilities": (0.5, 0.25, 0.15, 0.1), "abstained": False, "model_id": "m/1", "confidence": 0.5}
    return Tag(target=target, stance=stance, **{**given, **fields})


def write_tags(store: Store, tagged, model_id: str = "m/1", now: dt.datetime = NOW) -> int:
    return store.add_tags(tagged, command="classify", model_id=model_id, codebook_version="t1", now=now)


# Opening


def test_a_new_store_is_made_with_its_folder_foreign_keys_and_write_ahead_log(tmp_path):
    path = tmp_path / "a" / "b" / "s.sqlite"
    with Store(path) as store:
        assert store._db.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._db.execute("PRAGMA user_version").fetchone() == (len(store_module._migrations()),)
        assert store.counts() == {"documents": 0, "statements": 0, "tags": 0, "labels": 0, "runs": 0}
    assert path.is_file()


def test_leaving_the_context_closes_the_file(tmp_path):
    with Store(tmp_path / "s.sqlite") as store:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        store._db.execute("SELECT 1")


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "s.sqlite"
    Store(path).close()
    newer = len(store_module._migrations()) + 1
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {newer}")
    db.close()
    with pytest.raises(StoreError, match=rf"has schema {newer}, newer than this version's {newer - 1}; update"):
        Store(path)
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (newer,)
    db.close()


def test_migrations_run_in_order_from_the_files_version_and_all_or_nothing(tmp_path, monkeypatch, make_statement):
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add_statements([make_statement(1)])
    first = store_module._migrations()
    broken = "CREATE TABLE extra (a TEXT);\nCREATE TABLE extra (a TEXT);\n"
    monkeypatch.setattr(store_module, "_migrations", lambda: [*first, broken])
    with pytest.raises(StoreError, match="table extra already exists"):
        Store(path)
    monkeypatch.setattr(
        store_module,
        "_migrations",
        lambda: [*first, "CREATE TABLE extra (a TEXT);\n", "ALTER TABLE extra ADD b TEXT;\n"],
    )
    with Store(path) as store:
        assert store._db.execute("PRAGMA user_version").fetchone() == (len(first) + 2,)
        assert store._db.execute("SELECT a, b FROM extra").fetchall() == []
        assert store.counts()["statements"] == 1


def test_a_store_of_the_first_schema_is_brought_up_to_date_and_loses_nothing(tmp_path, make_statement):
    path = tmp_path / "s.sqlite"
    old = sqlite3.connect(path, isolation_level=None)
    for part in store_module._sql_statements(store_module._migrations()[0]):
        old.execute(part)
    old.execute("PRAGMA user_version = 1")
    old.execute("INSERT INTO documents VALUES ('d1', 'courier', 'https://example.org/1', 'Ardland Courier')")
    given = make_statement(1)
    later = {"verified", "context", "attribution"}
    fields = [name for name in store_module._STATEMENT_FIELDS if name not in later]
    old.execute(
        f"INSERT INTO statements ({', '.join(fields)}) VALUES ({', '.join('?' * len(fields))})",  # noqa: S608
        [getattr(given, name) for name in fields],
    )
    old.execute("INSERT INTO runs VALUES ('r', 'classify', '2030-01-01', 'm/1', 't1')")
    old.execute("INSERT INTO tags VALUES ('x1', 'harbour', 'm/1', 't1', 'r', 'favor', 1, 0, 0, 0, 1, 0, 0, 9)")
    old.close()
    with Store(path) as store:
        assert store._db.execute("PRAGMA user_version").fetchone() == (len(store_module._migrations()),)
        assert list(store.statements()) == [given]
        assert given.verified
        assert store.tags_frame("m/1")["statement_id"].tolist() == ["x1"]
        assert store.add_statements([given]) == Loaded(unchanged=1)
        assert store.add_statements([make_statement(1, verified=False)]) == Loaded(changed=1)


def test_the_migration_scripts_are_split_where_statements_end():
    script = "-- a; comment\nCREATE TABLE a (x TEXT DEFAULT ';');\n\nCREATE INDEX i\n ON a (x);\n-- tail\n"
    parts = list(store_module._sql_statements(script))
    assert [part.splitlines()[-1] for part in parts] == ["CREATE TABLE a (x TEXT DEFAULT ';');", " ON a (x);"]


def test_a_file_that_is_no_store_is_named(tmp_path):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"this is a text, and not a database at all" * 40)
    with pytest.raises(StoreError, match=r"s\.sqlite is not a usable store .*name another with --store"):
        Store(path)
    assert path.read_bytes().startswith(b"this is a text")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot open the store .*s\.sqlite: File exists\."):
        Store(tmp_path / "file" / "s.sqlite")


def test_a_path_that_is_a_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"cannot use the store .*Check the path"):
        Store(tmp_path)


def test_a_locked_store_says_so_and_keeps_what_it_held(tmp_path, monkeypatch, make_statement):
    monkeypatch.setattr(store_module, "_BUSY_SECONDS", 0.0)
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add_statements([make_statement(1)])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"s\.sqlite is locked by another process; wait until it ends"):
            store.add_statements([make_statement(2)])
        assert [s.statement_id for s in store.statements()] == ["x1"]  # a reader works while a writer does
        other.execute("ROLLBACK")
        other.close()
        assert store.add_statements([make_statement(2)]) == Loaded(new=1)


def test_a_new_store_that_another_process_makes_at_the_same_moment_is_waited_for(tmp_path, monkeypatch):
    other = sqlite3.connect(tmp_path / "s.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            other.execute("ROLLBACK")

    monkeypatch.setattr(store_module.time, "sleep", wait)
    with Store(tmp_path / "s.sqlite") as store:
        assert store.rows("PRAGMA journal_mode") == [("wal",)]
    assert len(waits) == 3
    other.close()


def test_a_new_store_that_stays_locked_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_BUSY_SECONDS", 0.05)
    other = sqlite3.connect(tmp_path / "s.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"s\.sqlite is locked by another process; wait until it ends"):
        Store(tmp_path / "s.sqlite")
    other.close()


# Statements


def test_a_statement_comes_back_as_it_was(store, make_statement):
    given = make_statement(1, text="Гавань 😀 港口\nline 'two'; \"x\"", joint=True, verified=False, title="Ä")
    assert store.add_statements([given]) == Loaded(new=1)
    assert list(store.statements()) == list(store.untagged("m/1")) == [given]
    assert next(store.statements()).joint is True
    assert next(store.statements()).verified is False


def test_loading_twice_changes_nothing(store, make_statement):
    statements = [make_statement(1), make_statement(2, joint=True)]
    assert store.add_statements(statements) == Loaded(new=2)
    assert store.add_statements(statements) == Loaded(unchanged=2)
    assert store.counts()["statements"] == 2
    assert store.counts()["documents"] == 2


@pytest.mark.parametrize(
    "field",
    [
        "doc_id",
        "date",
        "date_method",
        "speaker",
        "role",
        "country",
        "venue",
        "lang",
        "text",
        "provenance",
        "joint",
        "verified",
    ],
)
def test_a_statement_with_any_field_changed_replaces_the_old(store, make_statement, field):
    changed = make_statement(1, **{field: {"joint": True, "verified": False}.get(field, "other")})
    store.add_statements([make_statement(1)])
    assert store.add_statements([changed]) == Loaded(changed=1)
    assert list(store.statements()) == [changed]


def test_a_document_stays_with_the_source_that_brought_it_first(store, make_statement):
    store.add_statements([make_statement(1)])
    store.add_statements([make_statement(2, doc_id="d1", source="other", title="other")])
    assert {(s.source, s.title) for s in store.statements()} == {("courier", "Ardland Courier")}


@pytest.mark.parametrize("field", ["url", "title"])
def test_a_documents_data_are_brought_up_to_date(store, make_statement, field):
    store.add_statements([make_statement(1)])
    store.add_statements([make_statement(1, **{field: "other"})])
    assert getattr(next(store.statements()), field) == "other"
    assert store.counts()["documents"] == 1


def test_a_load_that_fails_midway_keeps_nothing_of_itself(store, make_statement):
    store.add_statements([make_statement(1)])

    def failing():
        yield make_statement(2)
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        store.add_statements(failing())
    assert [s.statement_id for s in store.statements()] == ["x1"]
    assert store.counts()["documents"] == 1
    assert store.add_statements([make_statement(3)]) == Loaded(new=1)  # the transaction is closed


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["x3", "x1", "x2", "x4"]),
        ({"speaker": "anna VELL"}, ["x3", "x2", "x4"]),
        ({"speaker": "Anna"}, []),
        ({"country": "BOR"}, ["x1"]),
        ({"country": "bor"}, []),
        ({"source": "gazette"}, ["x4"]),
        ({"since": "2030-01-10"}, ["x1", "x2", "x4"]),
        ({"since": "2030-01-11"}, ["x4"]),
        ({"until": "2030-01-10"}, ["x3", "x1", "x2"]),
        ({"until": "2030-01-09"}, ["x3"]),
        ({"since": "2030-01-10", "until": "2030-01-10", "country": "ARD"}, ["x2"]),
    ],
)
def test_statements_are_filtered_and_in_order_of_date_and_id(store, make_statement, filters, expected):
    store.add_statements(
        [
            make_statement(4, date="2030-02-01", source="gazette"),
            make_statement(2, date="2030-01-10"),
            make_statement(1, date="2030-01-10", country="BOR", speaker="Osk Brandt"),
            make_statement(3, date="2030-01-09"),
        ]
    )
    assert [s.statement_id for s in store.statements(**filters)] == expected


def test_a_statement_dropped_by_its_complete_source_is_retired_and_may_return(store, make_statement):
    one, two, other = make_statement(1), make_statement(2), make_statement(3, source="gazette")
    store.add_statements([one, two, other])
    store.add_labels([label(2)], coder="adjudicated", codebook_version="t1")
    write_tags(store, [(two, [tag()])])
    assert store.add_statements([one], complete_source="courier") == Loaded(unchanged=1, retired=1)
    assert [s.statement_id for s in store.statements()] == ["x1", "x3"]
    assert [s.statement_id for s in store.untagged("m/1")] == ["x1", "x3"]
    assert store.labels_frame().empty
    assert store.tags_frame("m/1").empty
    assert store.counts()["statements"] == 3  # kept
    assert store.add_statements([one], complete_source="courier") == Loaded(unchanged=1)
    assert store.add_statements([one, two], complete_source="courier") == Loaded(unchanged=1, changed=1)
    assert [s.statement_id for s in store.statements()] == ["x1", "x2", "x3"]
    assert len(store.labels_frame()) == 1
    assert len(store.tags_frame("m/1")) == 1  # its text is the same: so are its tags
    assert store.add_statements([one], complete_source="courier") == Loaded(unchanged=1, retired=1)


def test_without_a_complete_source_nothing_is_retired(store, make_statement):
    store.add_statements([make_statement(1), make_statement(2)])
    assert store.add_statements([make_statement(1)]) == Loaded(unchanged=1)
    assert len(list(store.statements())) == 2


# Labels


def test_labels_come_back_and_count_as_new_only_when_different(store, make_statement):
    store.add_statements([make_statement(1), make_statement(2)])
    labels = [label(2, "against", sampling_prob=0.25), label(1)]
    assert store.add_labels(labels, coder="adjudicated", codebook_version="t1") == 2
    assert store.add_labels(labels, coder="adjudicated", codebook_version="t1") == 0
    frame = store.labels_frame()
    assert frame.to_numpy().tolist() == [["x1", "harbour", "favor", 1.0], ["x2", "harbour", "against", 0.25]]
    assert list(frame.columns) == ["statement_id", "target", "stance", "sampling_prob"]


@pytest.mark.parametrize(
    ("changes", "version"), [({"stance": "none"}, "t1"), ({"sampling_prob": 0.5}, "t1"), ({}, "t2")]
)
def test_a_label_that_differs_replaces_the_old(store, make_statement, changes, version):
    store.add_statements([make_statement(1)])
    store.add_labels([label(1), label(1, target="railway")], coder="adjudicated", codebook_version="t1")
    changed = [label(1, **changes)]
    assert store.add_labels(changed, coder="adjudicated", codebook_version=version) == 1
    row = store._db.execute(
        "SELECT stance, sampling_prob, codebook_version FROM labels WHERE target = 'harbour'"
    ).fetchone()
    assert row == (changes.get("stance", "favor"), changes.get("sampling_prob", 1.0), version)
    assert store.counts()["labels"] == 2


def test_coders_are_kept_apart(store, make_statement):
    store.add_statements([make_statement(1)])
    store.add_labels([label(1)], coder="adjudicated", codebook_version="t1")
    store.add_labels([label(1, "against")], coder="second", codebook_version="t1")
    assert store.labels_frame()["stance"].tolist() == ["favor"]
    assert store.labels_frame("second")["stance"].tolist() == ["against"]


@pytest.mark.parametrize(
    "bad",
    [
        label(9),
        label(1, "maybe", target="railway"),
        label(1, sampling_prob=0.0, target="railway"),
        label(1, sampling_prob=1.5, target="railway"),
    ],
)
def test_a_label_that_does_not_fit_keeps_nothing_of_its_load(store, make_statement, bad):
    store.add_statements([make_statement(1)])
    with pytest.raises(StoreError, match=r"rows that do not fit the store .*nothing of this load was kept\.$"):
        store.add_labels([label(1), bad], coder="adjudicated", codebook_version="t1")
    assert store.counts()["labels"] == 0


def test_labels_to_train_on_come_with_their_statements_but_not_from_the_bundled_source(store, make_statement):
    one, two, bundled = make_statement(1), make_statement(2), make_statement(3, source="corpus")
    store.add_statements([one, two, bundled])
    labels = [label(1, "against", sampling_prob=0.25), label(1, target="railway"), label(3)]
    store.add_labels(labels, coder="adjudicated", codebook_version="t1")
    store.add_labels([label(2)], coder="second", codebook_version="t1")
    assert list(store.training_labels(but_source="corpus")) == [(one, labels[0]), (one, labels[1])]
    assert list(store.training_labels(but_source="courier")) == [(bundled, labels[2])]


# Tags


def test_tags_come_back_beside_their_statement_with_model_and_run(store, make_statement):
    one = make_statement(1, joint=True)
    store.add_statements([one])
    written = tag(stance="against", abstained=True, evidence_start=3, evidence_end=9)
    assert write_tags(store, [(one, [written, tag("railway", "none", confidence=0.75)])]) == 1
    frame = store.tags_frame("m/1")
    assert frame["target"].tolist() == ["harbour", "railway"]
    first = frame.iloc[0]
    assert first[["statement_id", "doc_id", "date", "speaker", "country", "lang", "provenance"]].tolist() == [
        "x1", "d1", "2030-01-01", "Anna Vell", "ARD", "en", "paraphrase",
    ]  # fmt: skip
    assert first[["stance", "p_favor", "p_neutral", "p_against", "p_none", "confidence"]].tolist() == [
        "against", 0.5, 0.25, 0.15, 0.1, 0.5,
    ]  # fmt: skip
    assert first[["evidence_start", "evidence_end", "model_id"]].tolist() == [3, 9, "m/1"]
    assert frame["evidence_start"].isna().tolist() == [False, True]
    assert frame["abstained"].tolist() == [True, False]
    assert frame["abstained"].dtype == bool
    assert frame["joint"].tolist() == [True, True]
    assert store._db.execute("SELECT DISTINCT t.codebook_version, r.command, r.started_at, r.model_id FROM tags t "
                             "JOIN runs r USING (run_id)").fetchall() == [
        ("t1", "classify", "2031-01-02T03:04:05+00:00", "m/1")
    ]  # fmt: skip


def test_tags_of_statements_that_no_page_bears_out_are_left_out_unless_asked_for(store, make_statement):
    sure, unsure = make_statement(1), make_statement(2, verified=False)
    store.add_statements([sure, unsure])
    assert write_tags(store, [(sure, [tag()]), (unsure, [tag()])]) == 2
    assert store.tags_frame("m/1")["statement_id"].tolist() == ["x1"]
    assert store.tags_frame("m/1", include_unverified=True)["statement_id"].tolist() == ["x1", "x2"]
    store.add_statements([make_statement(2, verified=True), make_statement(1, verified=False)])
    assert store.tags_frame("m/1")["statement_id"].tolist() == ["x2"]  # its tags were kept
    store.add_statements([make_statement(2)], complete_source="courier")
    # A retired one is never there.
    assert store.tags_frame("m/1", include_unverified=True)["statement_id"].tolist() == ["x2"]


def test_an_empty_frame_of_tags_has_its_columns_and_types(store):
    frame = store.tags_frame("m/1")
    assert frame.empty
    assert frame["abstained"].dtype == bool
    assert {"statement_id", "p_none", "evidence_end"} <= set(frame.columns)


def test_tagging_again_replaces_and_another_model_adds(store, make_statement):
    one = make_statement(1)
    store.add_statements([one])
    write_tags(store, [(one, [tag()])])
    write_tags(store, [(one, [tag(stance="none")])], now=NOW + dt.timedelta(hours=1))
    write_tags(store, [(one, [tag(model_id="m/2")])], model_id="m/2")
    assert store.counts()["tags"] == 2
    assert store.counts()["runs"] == 3
    assert store.tags_frame("m/1")["stance"].tolist() == ["none"]
    assert store.tags_frame("m/2")["stance"].tolist() == ["favor"]


def test_the_untagged_are_those_without_tags_of_that_model(store, make_statement):
    statements = [make_statement(n) for n in (3, 1, 2)]
    store.add_statements(statements)
    write_tags(store, [(statements[1], [tag()])])
    assert [s.statement_id for s in store.untagged("m/1")] == ["x2", "x3"]
    assert [s.statement_id for s in store.untagged("m/2")] == ["x1", "x2", "x3"]


def test_a_changed_text_drops_its_tags_and_another_change_keeps_them(store, make_statement):
    one, two = make_statement(1), make_statement(2)
    store.add_statements([one, two])
    write_tags(store, [(one, [tag()]), (two, [tag()])])
    store.add_statements([make_statement(1, venue="Market place")])
    assert store.counts()["tags"] == 2
    store.add_statements([make_statement(1, text="Quite another text.")])
    assert store.tags_frame("m/1")["statement_id"].tolist() == ["x2"]


def test_tags_of_an_unknown_statement_are_refused_whole(store, make_statement):
    one = make_statement(1)
    store.add_statements([one])
    with pytest.raises(StoreError, match="rows that do not fit"):
        write_tags(store, [(one, [tag()]), (make_statement(9), [tag()])])
    assert store.counts()["tags"] == 0
    assert store.counts()["runs"] == 0


# Labels on record


def coding(number=1, stance="favor", coder="anna", **fields) -> Coding:
    given = {
        "target": "harbour",
        "codebook_version": "t1",
        "labelled_at": "2031-01-01T00:00:00+00:00",
        "origin": "label",
    }
    return Coding(statement_id=f"x{number}", stance=stance, coder=coder, **{**given, **fields})


def test_codings_come_back_as_they_were_but_for_retired_statements(store, make_statement):
    store.add_statements([make_statement(1), make_statement(2, source="other")])
    given = [coding(1, sampling_prob=0.25), coding(2), coding(1, "none", "boris", origin="")]
    assert store.add_codings(given) == 3
    assert list(store.codings()) == [given[0], given[2], given[1]]
    assert store.add_codings(given) == 0
    store.add_statements([make_statement(1)], complete_source="other")
    assert list(store.codings()) == [given[0], given[2]]
    assert store.codings_frame()["coder"].tolist() == ["anna", "boris"]
    assert set(store.codings_frame().columns) >= {"date", "country", "speaker", "source", "text", "doc_id"}


def test_labels_given_with_a_time_and_origin_are_on_record_with_them(store, make_statement):
    store.add_statements([make_statement(1)])
    store.add_labels([label(1)], coder="anna", codebook_version="t1", now=NOW, origin="label, blind")
    [row] = store.codings()
    assert (row.labelled_at, row.origin) == ("2031-01-02T03:04:05+00:00", "label, blind")


def test_what_is_replaced_stays_on_record_and_counts_once(store, make_statement):
    store.add_statements([make_statement(1)])
    store.add_codings([coding(1)])
    later = {"labelled_at": "2031-02-01T00:00:00+00:00", "origin": "import a.jsonl"}
    assert store.add_codings([coding(1, "none", **later)]) == 1
    assert store.add_codings([coding(1, "none", codebook_version="t2", **later)]) == 1
    assert store.add_codings([coding(1, "none", codebook_version="t2", sampling_prob=0.5, **later)]) == 1
    log = store.label_log("x1")
    assert log[["stance", "codebook_version", "origin", "replaced_at"]].to_numpy().tolist() == [
        ["favor", "t1", "label", later["labelled_at"]],
        ["none", "t2", "import a.jsonl", ""],
        ["none", "t1", "import a.jsonl", later["labelled_at"]],
    ]
    assert store.label_log("x2").empty
    assert len(store.label_log()) == 3
    assert store.counts()["labels"] == 1


def test_what_a_person_settled_outlives_a_load_without_origin(store, make_statement):
    store.add_statements([make_statement(1)])
    bundled = coding(1, "favor", "adjudicated", origin="", labelled_at="")
    store.add_codings([bundled])
    assert store.add_codings([coding(1, "none", "adjudicated")]) == 1
    assert store.add_codings([bundled]) == 0
    assert [row.stance for row in store.codings()] == ["none"]
    assert store.add_codings([coding(1, "against", "adjudicated")]) == 1


def test_training_labels_leave_out_only_what_the_source_came_with(store, make_statement):
    store.add_statements([make_statement(1), make_statement(2), make_statement(3, source="mine")])
    store.add_codings(
        [
            coding(1, coder="adjudicated", origin=""), coding(2, "none", "adjudicated", sampling_prob=0.5),
            coding(3, "against", "adjudicated", origin=""), coding(3, coder="anna"),
        ]
    )  # fmt: skip
    found = [(s.statement_id, s.source, lab.stance, lab.sampling_prob) for s, lab in
             store.training_labels(but_source="courier")]  # fmt: skip
    assert found == [("x2", "courier", "none", 0.5), ("x3", "mine", "against", 1.0)]


def test_a_store_of_the_first_version_is_brought_up_to_date_and_keeps_what_it_holds(tmp_path, make_statement):
    path = tmp_path / "s.sqlite"
    db = sqlite3.connect(path)  # as the first version wrote it: nothing of today's code has a hand in it
    db.executescript((resources.files(store_module) / "001_initial.sql").read_text(encoding="utf-8"))
    db.execute("INSERT INTO documents VALUES ('d1', 'courier', 'https://example.org/1', 'Ardland Courier')")
    db.execute(
        "INSERT INTO statements VALUES ('x1', 'd1', '2030-01-01', 'day', 'Anna Vell', 'Foreign Minister', 'ARD', "
        "'Council hall', 'en', 'The harbour was named 1 times.', 'paraphrase', 0, 0)"
    )
    db.execute("INSERT INTO labels VALUES ('x1', 'harbour', 'adjudicated', 'favor', 0.5, 't1')")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
    for _ in range(2):  # the second opening finds nothing left to do
        with Store(path) as store:
            assert list(store.statements()) == [make_statement(1)]
            assert list(store.codings()) == [
                coding(1, coder="adjudicated", sampling_prob=0.5, labelled_at="", origin="")
            ]
            assert store.label_log()["stance"].tolist() == ["favor"]
    with Store(path) as store, Store(tmp_path / "new.sqlite") as new:
        assert schema_of(store) == schema_of(new)
        assert store.add_codings([coding(1, "none", "adjudicated")]) == 1
        assert len(store.label_log()) == 2


def schema_of(store: Store) -> tuple[object, ...]:
    version = store._db.execute("PRAGMA user_version").fetchone()
    return version, *store._db.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")

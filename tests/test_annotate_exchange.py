"""Tasks out and labels in: Label Studio and JSON lines, both ways, and every row that does not hold explained."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pipeline.annotate.importing import Imported, import_codings
from pipeline.annotate.labelstudio import labelling_config, studio_task
from pipeline.annotate.rows import array_elements
from pipeline.annotate.selection import coded_pairs
from pipeline.annotate.tasks import coded_rows, make_tasks, model_suggestions, task_row
from pipeline.config import Targets, load_targets
from pipeline.errors import UsageError
from pipeline.schema import STANCES, Statement, Tag
from pipeline.store import Store

NOW = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
TEXTS = {
    1: "Гавань 😀 открыта. Foreign vessels are welcome.",
    2: "Nothing of note.\nTwice.",
    3: "<script>alert('x')</script> & \"railway\"",
    4: "The railway was named.",
}


@pytest.fixture
def tagged(store: Store, make_statement: Callable[..., Statement]) -> Store:
    """Four statements; the first two are tagged, with evidence after an astral character."""
    statements = {n: make_statement(n, text=text) for n, text in TEXTS.items()}
    store.add_statements(statements.values())
    start = TEXTS[1].index("Foreign")
    tags = {
        1: [tag("harbour", "favor", (0.9, 0.05, 0.03, 0.02), start, len(TEXTS[1])), tag("railway", "none")],
        2: [tag("harbour", "none"), tag("railway", "none")],
    }
    store.add_tags(
        [(statements[n], given) for n, given in tags.items()],
        command="classify", model_id="m/1", codebook_version="t1", now=NOW,
    )  # fmt: skip
    return store


def tag(
    target: str, stance: str, p: tuple = (0.1, 0.1, 0.1, 0.7), start: int | None = None, end: int | None = None
):
    return Tag(
        target=target, stance=stance, probabilities=p, abstained=stance == "none", model_id="m/1",
        confidence=max(p), evidence_start=start, evidence_end=end,
    )  # fmt: skip


def tasks_of(store: Store, *, blind: bool = False) -> list:
    suggested = None if blind else model_suggestions(store, "m/1")
    return make_tasks(
        list(store.statements()), ("harbour", "railway"), codebook_version="t1", suggestions=suggested
    )


def bring(store: Store, path: Path, **options: Any) -> Imported:
    given = {"targets": ("harbour", "railway"), "codebook_version": "t1", "now": NOW}
    return import_codings(store, path, **{**given, **options})


def held(store: Store) -> dict[tuple[str, str, str], str]:
    rows = store.codings_frame()
    keys = zip(rows["statement_id"], rows["target"], rows["coder"], strict=True)
    return dict(zip(keys, rows["stance"], strict=True))


def lines(tmp_path: Path, *rows: object, name: str = "in.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), encoding="utf-8")
    return path


def studio(tmp_path: Path, *tasks: object, name: str = "in.json") -> Path:
    path = tmp_path / name
    path.write_text("[\n" + ",\n".join(json.dumps(task) for task in tasks) + "\n]", encoding="utf-8")
    return path


def annotated(
    task: dict[str, Any], labels: dict[str, str], completed_by: object = 7, **fields: object
) -> dict[str, Any]:
    """Return a task as Label Studio exports it once somebody annotated it."""
    result = [
        {
            "id": f"r{n}", "from_name": target, "to_name": "text", "type": "choices", "origin": "manual",
            "value": {"choices": [stance]},
        }
        for n, (target, stance) in enumerate(labels.items())
    ]  # fmt: skip
    annotation = {
        "id": 1, "completed_by": completed_by, "result": result, "was_cancelled": False, "ground_truth": False,
        "created_at": "2031-05-04T01:00:00.123456Z", "updated_at": "2031-05-04T02:00:00.123456Z", "lead_time": 4.2,
    }  # fmt: skip
    return {"id": 11, "project": 1, **task, "annotations": [{**annotation, **fields}], "drafts": []}


# Out


def test_the_configuration_asks_one_required_choice_a_target(tiny_targets: Targets) -> None:
    view = ET.fromstring(labelling_config(tiny_targets.target))  # noqa: S314 - our own
    choices = view.findall("Choices")
    assert [c.get("name") for c in choices] == ["harbour", "railway"]
    for one in choices:
        assert (one.get("toName"), one.get("choice"), one.get("required")) == ("text", "single-radio", "true")
        assert [c.get("value") for c in one.findall("Choice")] == list(STANCES)
    assert choices[0].find("Choice").get("hint") == "Welcomes vessels."
    keys = [choice.get("hotkey") for choice in view.iter("Choice")]
    assert len(set(keys)) == len(keys)
    assert view.find("Text").attrib == {"name": "text", "value": "$text", "granularity": "word"}
    assert [label.get("value") for label in view.find("Labels")] == ["harbour", "railway"]
    propositions = [header.get("value") for header in view.findall("Header")]
    assert propositions[0] == "$heading"
    assert propositions[1] == "The harbour: Foreign vessels are welcome in the harbour."


def test_the_configuration_survives_marks_that_xml_reserves_and_many_targets(tiny_targets: Targets) -> None:
    one = tiny_targets.target[0].model_copy(update={"proposition": '<b>"A" & B</b>'})
    many = [one.model_copy(update={"id": f"t{n}"}) for n in range(9)]
    view = ET.fromstring(labelling_config(many))  # noqa: S314 - our own
    assert view.findall("Header")[1].get("value").endswith('<b>"A" & B</b>')
    keys = [choice.get("hotkey") for choice in view.iter("Choice") if choice.get("hotkey")]
    assert len(set(keys)) == len(keys) == 24
    assert len(view.findall("Choices")) == 9


def test_a_task_carries_the_model_s_reading_with_its_evidence_in_code_points(tagged: Store) -> None:
    first = studio_task(tasks_of(tagged)[0])
    assert first["data"]["text"] == TEXTS[1]
    assert first["data"]["heading"] == "Anna Vell, Foreign Minister, ARD, 2030-01-01, Council hall"
    assert first["data"]["targets"] == ["harbour", "railway"]
    assert first["data"]["codebook_version"] == "t1"
    [prediction] = first["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("m/1", 0.7)
    choices = {r["from_name"]: r["value"]["choices"] for r in prediction["result"] if r["type"] == "choices"}
    assert choices == {"harbour": ["favor"], "railway": ["none"]}
    [span] = [r for r in prediction["result"] if r["type"] == "labels"]
    assert (span["from_name"], span["to_name"], span["value"]["labels"]) == ("evidence", "text", ["harbour"])
    value = span["value"]
    assert TEXTS[1][value["start"] : value["end"]] == value["text"] == "Foreign vessels are welcome."
    assert len({r["id"] for r in prediction["result"]}) == len(prediction["result"])


def test_every_result_fits_the_configuration(tagged: Store, tiny_targets: Targets) -> None:
    """What Label Studio checks on import: each region names a control and a stance or label that it has."""
    view = ET.fromstring(labelling_config(tiny_targets.target))  # noqa: S314 - our own
    controls = {e.get("name"): {child.get("value") for child in e} for e in view if e.tag in ("Choices", "Labels")}
    for task in tasks_of(tagged):
        content = studio_task(task)
        shown = {e.get("value")[1:] for e in view.iter() if (e.get("value") or "").startswith("$")}
        assert shown <= set(content["data"])
        for prediction in content["predictions"]:
            for region in prediction["result"]:
                assert region["to_name"] == "text"
                assert set(region["value"][region["type"]]) <= controls[region["from_name"]]


def test_a_blind_task_says_nothing_of_the_model(tagged: Store) -> None:
    blind = tasks_of(tagged, blind=True)
    assert all(studio_task(task)["predictions"] == [] for task in blind)
    assert all("suggestions" not in task_row(task) for task in blind)


def test_a_json_line_is_to_be_filled_in(tagged: Store) -> None:
    row = task_row(tasks_of(tagged)[0])
    assert list(row)[:4] == ["statement_id", "coder", "labels", "text"]
    assert (row["coder"], row["labels"]) == ("", {"harbour": None, "railway": None})
    assert row["suggestions"]["harbour"] == {
        "stance": "favor", "confidence": 0.9, "abstained": False, "evidence_start": 18,
        "evidence_end": len(TEXTS[1]), "evidence": "Foreign vessels are welcome.", "model_id": "m/1",
    }  # fmt: skip
    assert row["suggestions"]["railway"]["evidence"] == ""
    assert row["suggestions"]["railway"]["evidence_start"] is None


# In


def test_label_studio_s_export_comes_back(tagged: Store, tmp_path: Path) -> None:
    tasks = [studio_task(task) for task in tasks_of(tagged)]
    path = studio(
        tmp_path,
        annotated(tasks[0], {"harbour": "favor", "railway": "none"}, {"id": 7, "email": "anna@example.org"}),
        annotated(tasks[1], {"harbour": "none", "railway": "neutral"}, 8),
        annotated(tasks[2], {"harbour": "none"}, was_cancelled=True),
        {**tasks[3], "annotations": []},
    )
    done = bring(tagged, path, names={"8": "boris"})
    assert (done.new, done.rejected, dict(done.coders)) == (4, (), {"anna@example.org": 2, "boris": 2})
    assert held(tagged) == {
        ("x1", "harbour", "anna@example.org"): "favor", ("x1", "railway", "anna@example.org"): "none",
        ("x2", "harbour", "boris"): "none", ("x2", "railway", "boris"): "neutral",
    }  # fmt: skip
    log = tagged.label_log("x1")
    assert set(log["labelled_at"]) == {"2031-05-04T02:00:00+00:00"}
    assert set(log["origin"]) == {"import in.json"}
    assert bring(tagged, path, names={"8": "boris"}).unchanged == 4
    assert len(tagged.label_log()) == 4


def test_several_annotators_of_one_task_are_kept_apart(tagged: Store, tmp_path: Path) -> None:
    task = studio_task(tasks_of(tagged)[0])
    both = annotated(task, {"harbour": "favor"}, 1)
    both["annotations"] += annotated(task, {"harbour": "none"}, 2)["annotations"]
    done = bring(tagged, studio(tmp_path, both), names={"1": "anna"})
    assert held(tagged) == {("x1", "harbour", "anna"): "favor"}
    [rejected] = done.rejected
    assert rejected.where == "line 2, task 1, annotation 2"
    assert rejected.reason == "Label Studio's user 2 needs a name: --coder 2=NAME"


def test_the_minimal_export_comes_back_too(tagged: Store, tmp_path: Path) -> None:
    data = studio_task(tasks_of(tagged)[0])["data"]
    row = {
        **data, "id": 11, "harbour": "favor", "railway": "none", "annotator": 3, "annotation_id": 5,
        "created_at": "2031-05-04T01:00:00Z", "updated_at": "2031-05-04T02:00:00Z", "lead_time": 1.0,
        "evidence": [{"start": 0, "end": 3, "text": "abc", "labels": ["harbour"]}],
    }  # fmt: skip
    done = bring(tagged, studio(tmp_path, row), names={"3": "anna"})
    assert (done.new, done.rejected) == (2, ())
    assert held(tagged) == {("x1", "harbour", "anna"): "favor", ("x1", "railway", "anna"): "none"}


def test_a_project_s_own_controls_are_left_alone(tagged: Store, tmp_path: Path) -> None:
    task = studio_task(tasks_of(tagged)[0])
    path = studio(tmp_path, annotated(task, {"harbour": "favor", "difficulty": "hard"}, "anna"))
    assert bring(tagged, path).rejected == ()
    assert held(tagged) == {("x1", "harbour", "anna"): "favor"}


def test_filled_in_lines_come_back(tagged: Store, tmp_path: Path) -> None:
    rows = [task_row(task) for task in tasks_of(tagged)]
    rows[0] |= {"coder": "anna", "labels": {"harbour": "favor", "railway": None}}
    rows[1] |= {"labels": {"harbour": "none", "railway": "none"}}
    done = bring(tagged, lines(tmp_path, *rows, ""), coder="boris")
    assert (done.new, done.unlabelled, done.rejected) == (3, 2, ())
    assert held(tagged) == {
        ("x1", "harbour", "anna"): "favor", ("x2", "harbour", "boris"): "none", ("x2", "railway", "boris"): "none",
    }  # fmt: skip


def test_one_target_a_line_and_other_codebooks_are_read(tagged: Store, tmp_path: Path) -> None:
    row = {"statement_id": "x1", "target": "harbour", "stance": "favor", "coder": "anna", "codebook_version": "t0"}
    assert bring(tagged, lines(tmp_path, {**row, "labelled_at": "2030-01-01"})).new == 1
    log = tagged.label_log().iloc[0]
    assert (log["codebook_version"], log["labelled_at"]) == ("t0", "2030-01-01T00:00:00+00:00")


GOOD = {"statement_id": "x1", "coder": "anna", "labels": {"harbour": "favor"}}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{broken", "not valid JSON (Expecting property name"),
        ("[1]", "a line needs statement_id and coder, and labels"),
        ({"statement_id": "x1", "coder": "anna"}, "a line needs statement_id and coder, and labels"),
        ({**GOOD, "statement_id": None}, "no statement_id"),
        ({**GOOD, "statement_id": 5}, "no statement_id"),
        ({**GOOD, "statement_id": "x77"}, "statement x77 is not in the store (or was retired); ingest it first"),
        ({**GOOD, "text": "Quite another."}, "the text of x1 is not the store's: these labels are of other words"),
        ({**GOOD, "labels": {"moon": "favor"}}, "unknown target 'moon'; accepted: harbour, railway"),
        ({**GOOD, "labels": {"harbour": "maybe"}}, "harbour: unknown stance 'maybe'; accepted: favor, neutral"),
        ({**GOOD, "labels": {"harbour": ["favor"]}}, "harbour: unknown stance ['favor']; accepted"),
        ({**GOOD, "coder": " "}, "nobody is named as coder; fill in coder, or name one with --coder NAME"),
        ({**GOOD, "coder": "adjudicated"}, "'adjudicated' names settled labels, not a coder"),
        ({**GOOD, "labelled_at": "yesterday"}, "labelled_at 'yesterday' is no ISO date and time"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_hold_is_explained_by_line_and_the_others_are_kept(
    tagged: Store, tmp_path: Path, row: object, reason: str
) -> None:
    path = lines(tmp_path, {**GOOD, "statement_id": "x2"}, "", row, {**GOOD, "statement_id": "x3"})
    done = bring(tagged, path)
    assert done.new == 2
    [rejected] = done.rejected
    assert (rejected.line, rejected.where) == (3, "line 3")
    assert rejected.reason.startswith(reason)
    assert set(held(tagged)) == {("x2", "harbour", "anna"), ("x3", "harbour", "anna")}


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (5, "not an object: this is no task of a Label Studio export"),
        (
            {"id": 1, "annotator": 1},
            "neither data nor targets: this is no task that `stance annotate export` wrote",
        ),
        ({"data": {}, "annotations": {"a": 1}}, "annotations must be a list of objects"),
        ({"data": {}, "annotations": [{"result": None}]}, "an annotation's result must be a list of objects"),
        (annotated({"data": {"text": "a"}}, {"harbour": "favor"}, "anna"), "no statement_id"),
        (
            {"data": {"statement_id": "x1"}, "annotations": [{"completed_by": "anna", "result": [
                {"type": "choices", "from_name": "harbour", "value": {"choices": ["favor", "none"]}}]}]},
            "harbour: one choice was expected, found ['favor', 'none']",
        ),
        (
            {"data": {"statement_id": "x1"}, "annotations": [{"completed_by": "anna", "result": [
                {"type": "choices", "from_name": "harbour", "value": {"choices": ["favor"]}},
                {"type": "choices", "from_name": "harbour", "value": {"choices": ["none"]}}]}]},
            "harbour: one choice was expected, found ['none']",
        ),
    ],
)  # fmt: skip
def test_a_task_that_does_not_hold_is_explained_by_line(
    tagged: Store, tmp_path: Path, task: object, reason: str
) -> None:
    good = annotated({"data": {"statement_id": "x2", "text": TEXTS[2]}}, {"harbour": "none"}, "anna")
    done = bring(tagged, studio(tmp_path, good, task, good))
    [rejected] = done.rejected
    assert (rejected.line, rejected.where, rejected.reason) == (3, "line 3, task 2", reason)
    assert done.new == 1


def test_a_file_that_breaks_off_says_so_and_keeps_what_came_before(tagged: Store, tmp_path: Path) -> None:
    good = annotated({"data": {"statement_id": "x2"}}, {"harbour": "none"}, "anna")
    path = tmp_path / "in.json"
    for tail, reason in ((',\n{"data"', "not valid JSON (Expecting"), ("", "not valid JSON (the array breaks off")):
        path.write_text("[" + json.dumps(good) + tail)
        done = bring(tagged, path)
        [rejected] = done.rejected
        assert rejected.where == "task 2"
        assert rejected.reason.startswith(reason)
        assert rejected.reason.endswith("from here on nothing was read")
        assert done.new + done.unchanged == 1
    path.write_text("{}")
    assert bring(tagged, path).rejected[0].reason.startswith("not valid JSON (not a JSON array)")


def test_array_elements_know_their_lines() -> None:
    assert list(array_elements('[\n 1,\n\n {"a":\n 2},  3\n]\n')) == [(2, 1), (4, {"a": 2}), (5, 3)]
    assert list(array_elements("[]")) == []
    assert list(array_elements('[1, "]"]')) == [(1, 1), (1, "]")]


def test_a_dry_run_counts_and_stores_nothing(tagged: Store, tmp_path: Path) -> None:
    assert bring(tagged, lines(tmp_path, GOOD), dry_run=True).new == 1
    assert held(tagged) == {}


def test_a_label_changes_and_what_it_was_stays_on_record(tagged: Store, tmp_path: Path) -> None:
    bring(tagged, lines(tmp_path, {**GOOD, "labelled_at": "2031-01-01T00:00:00Z"}))
    second = {**GOOD, "labels": {"harbour": "none"}, "labelled_at": "2031-01-02T00:00:00Z"}
    assert bring(tagged, lines(tmp_path, second, name="b.jsonl")).changed == 1
    log = tagged.label_log("x1")
    assert log[["stance", "labelled_at", "origin", "replaced_at"]].to_numpy().tolist() == [
        ["favor", "2031-01-01T00:00:00+00:00", "import in.jsonl", "2031-01-02T00:00:00+00:00"],
        ["none", "2031-01-02T00:00:00+00:00", "import b.jsonl", ""],
    ]
    old = bring(tagged, tmp_path / "in.jsonl")
    assert (old.older, old.changed) == (1, 0)
    assert held(tagged) == {("x1", "harbour", "anna"): "none"}


def test_within_a_file_the_latest_counts_and_a_contradiction_does_not(tagged: Store, tmp_path: Path) -> None:
    first = {**GOOD, "labelled_at": "2031-01-02T00:00:00Z"}
    before = {**GOOD, "labels": {"harbour": "none"}, "labelled_at": "2031-01-01T00:00:00+00:00"}
    assert bring(tagged, lines(tmp_path, first, before)).new == 1
    assert held(tagged) == {("x1", "harbour", "anna"): "favor"}
    twice = [{**GOOD, "statement_id": "x2"}, {**GOOD, "statement_id": "x2"}]
    odd = {**GOOD, "statement_id": "x2", "labels": {"harbour": "none", "railway": "none"}}
    done = bring(tagged, lines(tmp_path, *twice, odd))
    [rejected] = done.rejected
    assert (rejected.line, rejected.reason) == (
        3, "anna gives harbour of x2 as none here and as favor on line 1; neither was kept",
    )  # fmt: skip
    assert held(tagged) == {("x1", "harbour", "anna"): "favor", ("x2", "railway", "anna"): "none"}
    assert bring(tagged, lines(tmp_path, twice[0], odd, twice[0])).rejected[0].where == "line 2"


def test_the_file_must_be_there_and_of_a_known_kind(tagged: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such file: .*none\.json\."):
        bring(tagged, tmp_path / "none.json")
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(UsageError, match=r"a\.csv: codings come as \.json .* or \.jsonl"):
        bring(tagged, tmp_path / "a.csv")


def test_a_byte_order_mark_and_broken_bytes_do_no_harm(tagged: Store, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b'\n{"statement_id": "x\xff2"}\n')
    done = bring(tagged, path)
    assert done.new == 1
    assert done.rejected[0].line == 2


def test_labels_on_record_go_out_and_into_another_store(
    tagged: Store, tmp_path: Path, make_statement: Callable[..., Statement]
) -> None:
    both = {**GOOD, "labels": {"harbour": "favor", "railway": "none"}, "labelled_at": "2031-01-01T00:00:00Z"}
    later = {**GOOD, "statement_id": "x2", "coder": "boris", "codebook_version": "t0"}
    bring(tagged, lines(tmp_path, both, later, {**GOOD, "statement_id": "x2", "coder": "anna"}))
    tagged.add_labels([], coder="adjudicated", codebook_version="t1")
    rows = list(coded_rows(coded_pairs(tagged), ("harbour", "railway")))
    assert [(r["statement_id"], r["coder"], r["labels"], r["codebook_version"]) for r in rows] == [
        ("x1", "anna", {"harbour": "favor", "railway": "none"}, "t1"),
        ("x2", "anna", {"harbour": "favor"}, "t1"),
        ("x2", "boris", {"harbour": "favor"}, "t0"),
    ]
    with Store(tmp_path / "other.sqlite") as other:
        other.add_statements(make_statement(n, text=text) for n, text in TEXTS.items())
        assert bring(other, lines(tmp_path, *rows, name="rows.jsonl"), now=NOW + dt.timedelta(days=9)).new == 4
        columns = ["statement_id", "target", "coder", "stance", "labelled_at", "codebook_version"]
        assert other.label_log()[columns].equals(tagged.label_log()[columns])


def test_the_project_s_own_configuration_is_well_formed() -> None:
    view = ET.fromstring(labelling_config(load_targets().target))  # noqa: S314 - our own
    assert [c.get("name") for c in view.findall("Choices")] == list(load_targets().ids)

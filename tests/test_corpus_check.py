"""The guards of the corpus: a small sound corpus passes, and every guard fails on a corpus broken in one place."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import config, guards
from pipeline.cli.app import main
from pipeline.errors import DataError, UsageError
from pipeline.guards import cards, figures, ledger, offices, wording
from pipeline.guards.findings import Finding
from tests.conftest import ACTORS_TOML, TARGETS_TOML, record_id, write_jsonl

TODAY = dt.date(2031, 5, 4)
STATEMENTS = "documented/statements.jsonl"
PASSAGES = "authored/passages_en.jsonl"
CHINESE = "authored/passages_zh.jsonl"
LEDGER = "documented/ids.csv"
REVIEWED = "documented/reviewed.csv"

EVENTS = """event_id,date,label,source_url,registered_on,about
bridge-opens,2030-04-01,The bridge opens,https://example.org/bridge,2030-05-01,railway
storm,2030-06-15,A storm closes the harbour,https://example.org/storm,2030-07-01,harbour railway
"""
TEXTS = (
    "Vell told the council that foreign vessels would be received gladly once the dredging is over.",
    "Vell saw no hurry in laying the track, since the farmers had not been asked for their view.",
    "Vell thanked the pilots for their night work and announced a new lighthouse near the market town.",
    "Vell rejected any customs union that leaves out the fishermen of the northern islands.",
    "Brandt described the summer traffic in the bay as lively, giving no opinion of the fees.",
    "Brandt called upon both governments to finish surveying the mountain tunnel before winter.",
)
PASSAGE_TEXTS = (
    "A harbour without ships is a lake, the chairman used to say, and he meant it as a warning.",
    "Nobody in the ministry wishes to hurry a decision on which so many households depend.",
    "Let the engineers speak first; afterwards the treasurers may count what it costs us all.",
)
CHINESE_TEXT = "各方都应当尊重渔民的意见，港口是否开放要等到测量工作结束以后再作决定。"
EN_RUN = "Let it be known that vessels would be received gladly once the dredging is over, he wrote."


def stances(harbour: str, railway: str = "none") -> dict[str, str]:
    return {"harbour": harbour, "railway": railway}


def statement(number: int, **changes: Any) -> dict[str, Any]:
    """Return row `number` of the sound corpus: two speakers, five days apart."""
    vell = number < 4
    labels = stances(("favor", "none", "neutral", "against", "neutral", "none")[number], "neutral")
    row: dict[str, Any] = {
        "statement_id": record_id("s", number), "date": f"2030-03-{1 + 5 * number:02}", "date_precision": "day",
        "speaker": "Anna Vell" if vell else "Osk Brandt", "role": "Speaker", "country": "ARD" if vell else "BOR",
        "venue": "Hall", "source_url": f"https://example.org/{number}", "source_outlet": "Courier",
        "text": TEXTS[number], "lang": "en", "provenance": "paraphrase", "joint": False, "labels": labels,
        "coding_1": labels, "coding_2": labels, "check_note": "",
        "verified": {"on": "2031-01-01", "second_url": "https://example.org/read", "mended": ""},
    }  # fmt: skip
    return {**row, **changes}


def passage(text: str, **changes: Any) -> dict[str, Any]:
    codings = dict.fromkeys(("labels", "coding_1", "coding_2"), stances("neutral"))
    return {"passage_id": ledger.passage_id(text), "lang": "en", "text": text, **codings, **changes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small corpus in which nothing is wrong."""
    made = tmp_path / "project" / "corpus"
    write_jsonl(made / STATEMENTS, [statement(n) for n in range(6)])
    write_jsonl(made / PASSAGES, [passage(text) for text in PASSAGE_TEXTS])
    write_jsonl(made / CHINESE, [passage(CHINESE_TEXT, lang="zh")])
    (made / "targets.toml").write_text(TARGETS_TOML, encoding="utf-8")
    (made / "actors.toml").write_text(ACTORS_TOML, encoding="utf-8")
    (made / "events.csv").write_text(EVENTS, encoding="utf-8")
    (made / LEDGER).write_text("statement_id,batch,fingerprint,removed\n", encoding="utf-8")
    (made / REVIEWED).write_text("kind,statement_id,other,reason\n", encoding="utf-8")
    for name in cards.CARDS:
        (made / name).write_text(f"# Card\n\n{cards.BEGIN}\n{cards.END}\n\nEnd.\n", encoding="utf-8")
    settle(made)
    return made


def settle(folder: Path) -> None:
    """Register what is there and write the cards, as one does after a change that is meant."""
    guards.register(folder, today=TODAY)
    guards.write_cards(folder)


def found(folder: Path, **given: Any) -> list[str]:
    return [str(finding) for finding in guards.check(folder, **{"today": TODAY, **given})[1]]


def edit(folder: Path, name: str, line: int, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change one JSON line in place."""
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[line - 1])
    change(row)
    lines[line - 1] = json.dumps(row, ensure_ascii=False)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def edit_actors(folder: Path, old: str, new: str) -> str:
    """Change actors.toml, which is otherwise read once per folder, and return its text."""
    path = folder / "actors.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    config._actors_in.cache_clear()
    return path.read_text(encoding="utf-8")


def put(folder: Path, name: str, *fields: str) -> None:
    """Append one line to a table."""
    with (folder / name).open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(fields)


def the_only(lines: list[str]) -> str:
    assert len(lines) == 1, lines
    return lines[0]


def test_a_sound_corpus_passes(folder):
    bundle, findings = guards.check(folder, today=TODAY)
    assert findings == []
    assert (len(bundle.statements), len(bundle.passages), len(bundle.events)) == (6, 4, 2)


def test_a_folder_that_is_no_corpus_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="no corpus in"):
        guards.check(tmp_path, today=TODAY)


# Schema: every broken line is named, not just the first


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("source_url", "", "source_url: String should match pattern"),
        ("source_url", "page 4", "source_url: String should match pattern"),
        ("country", "XYZ", "country: Value error, unknown actor 'XYZ'"),
        ("text", "Vell said that “all is well” there now.", "text: Value error, a paraphrase holds no quotation"),
        ("labels", stances("friendly"), "labels.harbour: Input should be 'favor', 'neutral', 'against' or 'none'"),
        ("labels", {"harbour": "favor"}, "labels: Value error, stances must be given for exactly the targets"),
        ("date", "2030-02-30", "date: Input should be a valid date"),
        ("statement_id", "s12", "statement_id: String should match pattern"),
        ("note", "x", "note: Extra inputs are not permitted"),
    ],
)
def test_a_line_against_the_schema_is_named(folder, field, value, says):
    edit(folder, STATEMENTS, 2, lambda row: row.update({field: value}))
    assert any(line.startswith(f"corpus/{STATEMENTS}:2: {says}") for line in found(folder))


def test_every_broken_line_is_named_and_the_rest_still_checked(folder):
    edit(folder, STATEMENTS, 1, lambda row: row.pop("venue"))
    edit(folder, STATEMENTS, 4, lambda row: row.update(speaker="Nobody Known"))
    edit(folder, PASSAGES, 3, lambda row: row.update(lang="fr"))
    lines = found(folder)
    for place in (f"{STATEMENTS}:1: venue", f"{STATEMENTS}:4: speaker: 'Nobody Known'", f"{PASSAGES}:3: lang"):
        assert any(line.startswith(f"corpus/{place}") for line in lines)


def test_bytes_that_are_no_utf8_are_named(folder):
    path = folder / PASSAGES
    path.write_bytes(path.read_bytes().replace(b"lake", b"la\xffe"))
    assert any(line.startswith(f"corpus/{PASSAGES}:1: ") for line in found(folder))


def test_an_actors_file_that_cannot_be_read_stops_the_check(folder):
    edit_actors(folder, "[[actor]]", "[[actor]")
    with pytest.raises(DataError, match=r"actors\.toml is not valid TOML"):
        guards.check(folder, today=TODAY)


# Dates, speakers, offices


def test_a_date_in_the_future_is_found_and_today_is_not(folder):
    day = dt.date(2030, 3, 6)
    assert not any("future" in line for line in found(folder, today=dt.date(2031, 1, 1)))
    lines = [line for line in found(folder, today=day) if ": date:" in line]
    assert lines[0] == f"corpus/{STATEMENTS}:3: date: 2030-03-11 lies in the future (today is 2030-03-06)"
    assert len(lines) == 4


def test_a_month_is_in_the_future_only_when_it_has_not_begun(folder):
    edit(folder, STATEMENTS, 6, lambda row: row.update(date="2031-05-20", date_precision="month"))
    settle(folder)
    # The check of 1 January precedes the words, but the date itself may be past.
    assert "verified.on: 2031-01-01 is before the statement's date 2031-05-20" in the_only(found(folder))
    assert any("lies in the future" in line for line in found(folder, today=dt.date(2031, 4, 30)))


def test_a_check_in_the_future_is_found(folder):
    edit(folder, STATEMENTS, 1, lambda row: row["verified"].update(on="2031-05-05"))
    assert the_only(found(folder)).endswith("verified.on: 2031-05-05 lies in the future (today is 2031-05-04)")


def test_an_unverified_statement_must_say_what_is_missing(folder):
    edit(folder, STATEMENTS, 1, lambda row: row.update(verified=None))
    settle(folder)
    assert "check_note: an unverified statement" in the_only(found(folder))
    edit(folder, STATEMENTS, 1, lambda row: row.update(check_note="No page shows it."))
    assert found(folder) == []


def test_an_unknown_speaker_is_found(folder):
    edit(folder, STATEMENTS, 5, lambda row: row.update(speaker="Ida Stone"))
    settle(folder)
    expected = f"corpus/{STATEMENTS}:5: speaker: 'Ida Stone' is not in actors.toml; add the speaker and a role"
    assert the_only(found(folder)) == expected


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"date": "2029-12-31"}, True),
        ({"date": "2030-01-01"}, False),
        ({"date": "2030-12-31"}, False),
        ({"date": "2031-01-01"}, True),
        ({"date": "2031-01-01", "country": "LGE"}, False),
        ({"date": "2030-12-30", "country": "LGE"}, True),
        ({"date": "2030-12-15", "country": "LGE", "date_precision": "month"}, False),
        ({"date": "2030-11-15", "country": "LGE", "date_precision": "month"}, True),
        ({"country": "BOR"}, True),
        ({"speaker": "Анна Велль"}, False),
    ],
)
def test_the_office_must_be_held_on_the_day(folder, changes, wrong):
    edit(folder, STATEMENTS, 4, lambda row: row.update(changes))
    settle(folder)
    lines = [line for line in found(folder) if "held no office" in line]
    assert bool(lines) is wrong
    assert not any("warning" in line for line in lines)


def test_an_office_whose_start_is_a_lower_bound_only_warns(folder):
    source = 'source = "https://example.org/brandt"'
    edit_actors(folder, source, f'{source}\nnote = "the date is a lower bound"')
    edit(folder, STATEMENTS, 5, lambda row: row.update(date="2028-01-01"))
    settle(folder)
    (finding,) = guards.check(folder, today=TODAY)[1]
    assert finding.warning
    assert str(finding).startswith(f"corpus/{STATEMENTS}:5: warning: speaker: Osk Brandt held no office of BOR")


# Events and roles


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("https://example.org/storm", "", "storm: source_url: an event needs an address"),
        ("2030-07-01", "", "storm: registered_on: the day of registration is needed"),
        ("2030-07-01", "2031-05-05", "storm: registered_on: the day of registration is needed"),
        ("harbour railway", "harbour bridge", "storm: about: 'harbour bridge' must be targets"),
        ("harbour railway", "", "storm: about: '' must be targets"),
    ],
)
def test_an_event_without_source_registration_or_target_is_found(folder, old, new, says):
    path = folder / "events.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert the_only(found(folder)).startswith(f"corpus/events.csv:3: {says}")


def test_a_role_without_a_source_is_found_with_its_line(folder):
    text = edit_actors(folder, "https://example.org/brandt", "hearsay")
    line = text.splitlines().index('id = "osk-brandt"') + 1
    expected = f"corpus/actors.toml:{line}: speaker osk-brandt: role 'Spokesman' has no address as source"
    assert the_only(found(folder)) == expected


# Labels


def test_a_label_against_two_agreeing_codings_needs_a_reason(folder):
    edit(folder, STATEMENTS, 1, lambda row: row.update(labels=stances("neutral", "neutral")))
    settle(folder)
    name = record_id("s", 0)
    assert f"{name}: labels.harbour is neutral, but both codings say favor" in the_only(found(folder))
    put(folder, REVIEWED, "label", name, "harbour", "")
    assert len(found(folder)) == 2
    put(folder, REVIEWED, "label", name, "railway", "by another rule")
    assert len(found(folder)) == 3 - 1
    put(folder, REVIEWED, "label", name, "harbour", "by the rule on dredging")
    assert "reason: say why" in the_only(found(folder))


def test_a_label_that_settles_a_dispute_needs_no_reason(folder):
    edit(folder, STATEMENTS, 1, lambda row: row.update(coding_2=stances("against", "neutral")))
    edit(folder, PASSAGES, 1, lambda row: row.update(coding_1=stances("against")))
    settle(folder)
    assert found(folder) == []


def test_a_passage_s_label_is_guarded_too(folder):
    edit(folder, CHINESE, 1, lambda row: row.update(labels=stances("favor")))
    settle(folder)
    assert the_only(found(folder)).startswith(f"corpus/{CHINESE}:1: ")


def test_labels_need_two_codings_and_none_are_needed_without(folder):
    edit(folder, STATEMENTS, 2, lambda row: row.update(coding_2=None))
    settle(folder)
    assert "labels given, but not coded twice" in the_only(found(folder))
    edit(folder, STATEMENTS, 2, lambda row: row.update(labels=None))
    settle(folder)
    assert found(folder) == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (("opinion", record_id("s", 0), "harbour", "so"), "kind: 'opinion' is not one of distinct, label"),
        (("label", "s0000000000", "harbour", "so"), "statement_id: no 's0000000000' in the corpus"),
        (("label", record_id("s", 0), "bridge", "so"), "other: no 'bridge'"),
        (("distinct", record_id("s", 0), "harbour", "so"), "other: no 'harbour'"),
        (("distinct", record_id("s", 0), record_id("s", 1), " "), "reason: say why"),
    ],
)
def test_a_review_of_nothing_is_found(folder, fields, says):
    put(folder, REVIEWED, *fields)
    assert the_only(found(folder)).startswith(f"corpus/{REVIEWED}:2: {says}")


@pytest.mark.parametrize(("name", "columns"), [(LEDGER, "batch"), (REVIEWED, "reason")])
def test_a_table_that_is_missing_or_misshapen_is_found(folder, name, columns):
    path = folder / name
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(columns, "other things", 1), encoding="utf-8")
    assert any(line.startswith(f"corpus/{name}:1: the columns must be") for line in found(folder))
    path.write_text(whole + "one,two\n", encoding="utf-8")
    assert any(line.startswith(f"corpus/{name}:{whole.count(chr(10)) + 1}: not 4 fields") for line in found(folder))
    path.unlink()
    assert any(line.startswith(f"corpus/{name}: the file is missing") for line in found(folder))


# Ids


def test_an_id_given_twice_is_found(folder):
    edit(folder, STATEMENTS, 3, lambda row: row.update(statement_id=record_id("s", 0)))
    lines = found(folder)
    assert any(line.endswith(f":3: statement_id: {record_id('s', 0)} was given on line 1 too") for line in lines)


def test_a_new_statement_must_be_registered_and_is_entered_with_its_batch(folder):
    text = "Brandt wished the orchestra of the islands a calm crossing and many listeners abroad."
    row = statement(5, statement_id="s00000000aa", date="2030-05-01", text=text)
    lines = (folder / STATEMENTS).read_text(encoding="utf-8") + json.dumps(row) + "\n"
    (folder / STATEMENTS).write_text(lines, encoding="utf-8")
    guards.write_cards(folder)
    assert the_only(found(folder)).startswith(f"corpus/{STATEMENTS}:7: s00000000aa: not registered in {LEDGER}")
    assert guards.register(folder, today=TODAY) == 1
    assert guards.register(folder, today=TODAY) == 0
    guards.write_cards(folder)
    assert found(folder) == []
    assert "s00000000aa,2031-05-04," in (folder / LEDGER).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"text": TEXTS[0].replace("gladly", "coolly")},
        {"date": "2030-03-02"},
        {"labels": stances("favor"), "coding_1": stances("favor"), "coding_2": stances("favor")},
    ],
)
def test_a_change_unseen_is_found_until_it_is_registered(folder, changes):
    edit(folder, STATEMENTS, 1, lambda row: row.update(changes))
    guards.write_cards(folder)
    assert "changed since it was registered" in the_only(found(folder))
    assert guards.register(folder, today=TODAY) == 1
    assert found(folder) == []


def test_what_is_not_fingerprinted_may_change(folder):
    edit(folder, STATEMENTS, 1, lambda row: row.update(venue="Garden", source_url="https://example.org/better"))
    assert found(folder) == []


def test_an_id_that_is_gone_needs_a_reason_and_is_never_given_again(folder):
    rows = (folder / STATEMENTS).read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / STATEMENTS).write_text("".join(rows[:-1]), encoding="utf-8")
    name = record_id("s", 5)
    settle(folder)
    assert f"{name} is gone; put it back, or say why" in the_only(found(folder))
    path = folder / LEDGER
    kept = [line + "Said twice." if line.startswith(name) else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    guards.write_cards(folder)
    assert found(folder) == []
    (folder / STATEMENTS).write_text("".join(rows), encoding="utf-8")
    settle(folder)
    assert "this id was taken out (Said twice.) and is never given again" in the_only(found(folder))


def test_an_id_registered_twice_is_found(folder):
    first = (folder / LEDGER).read_text(encoding="utf-8").splitlines()[1].split(",")
    put(folder, LEDGER, *first)
    assert f"corpus/{LEDGER}:8: {first[0]} stands twice" in found(folder)


def test_a_passage_s_id_follows_from_its_text(folder):
    edit(folder, PASSAGES, 2, lambda row: row.update(passage_id="a0123456789"))
    expected = ledger.passage_id(PASSAGE_TEXTS[1])
    says = f"passage_id: a0123456789 must be {expected}, by the text"
    assert the_only(found(folder)) == f"corpus/{PASSAGES}:2: {says}"


def test_a_passage_that_stands_twice_is_found(folder):
    write_jsonl(folder / "authored" / "passages_ru.jsonl", [passage(PASSAGE_TEXTS[0], lang="ru")])
    guards.write_cards(folder)
    says = f"text: the same as on corpus/{PASSAGES}:1"
    assert the_only(found(folder)) == f"corpus/authored/passages_ru.jsonl:1: {says}"


# Wording


@pytest.mark.parametrize("mark", ["'so called' pay", "(‘so called’) pay", "the ‹so called› pay", "『pay』"])
def test_single_quotation_marks_are_found(folder, mark):
    edit(folder, STATEMENTS, 1, lambda row: row.update(text=f"Vell praised {mark} of the harbour's pilots."))
    settle(folder)
    assert "text: a paraphrase holds no quotation marks" in the_only(found(folder))


def test_an_apostrophe_is_no_quotation(folder):
    text = "Vell praised the harbour's pilots and the islands' fishermen; she wouldn't say more."
    edit(folder, STATEMENTS, 1, lambda row: row.update(text=text))
    settle(folder)
    assert found(folder) == []


NEAR = "Vell told the council foreign vessels would gladly be received after the dredging is over and paid."


@pytest.mark.parametrize(
    ("changes", "near"),
    [
        ({"date": "2030-03-03"}, True),
        ({"date": "2030-03-04"}, False),
        ({"date": "2030-03-01", "speaker": "A. Vell"}, True),
        ({"date": "2030-03-01", "speaker": "Osk Brandt", "country": "BOR"}, False),
        ({"date": "2030-03-28", "date_precision": "month"}, True),
        ({"date": "2030-04-15", "date_precision": "month"}, False),
    ],
)
def test_near_duplicates_are_those_of_one_speaker_within_two_days(folder, changes, near):
    edit(folder, STATEMENTS, 4, lambda row: row.update({"text": NEAR, **changes}))
    settle(folder)
    assert [line for line in found(folder) if "near-duplicate" in line] == found(folder)
    assert bool(found(folder)) is near


def test_a_pair_that_was_read_side_by_side_passes_in_either_order(folder):
    edit(folder, STATEMENTS, 4, lambda row: row.update(text=NEAR, date="2030-03-01"))
    settle(folder)
    first, second = record_id("s", 0), record_id("s", 3)
    line = the_only(found(folder))
    assert line.startswith(f"corpus/{STATEMENTS}:4: {second}: near-duplicate of {first} (line 1; ")
    put(folder, REVIEWED, "distinct", first, second, "Two points of one speech.")
    assert found(folder) == []


def test_the_same_text_of_two_speakers_is_found_at_any_distance(folder):
    edit(folder, STATEMENTS, 6, lambda row: row.update(text=TEXTS[0].upper()))
    settle(folder)
    assert the_only(found(folder)) == f"corpus/{STATEMENTS}:6: {record_id('s', 5)}: the same text as on line 1"


def test_near_duplicates_among_passages_are_found_within_a_language(folder):
    twin = PASSAGE_TEXTS[0].replace("he meant", "she meant")
    write_jsonl(folder / PASSAGES, [*map(passage, PASSAGE_TEXTS), passage(twin)])
    settle(folder)
    assert f"corpus/{PASSAGES}:4: {ledger.passage_id(twin)}: near-duplicate of" in the_only(found(folder))
    write_jsonl(folder / PASSAGES, [*map(passage, PASSAGE_TEXTS), passage(twin, lang="ru")])
    settle(folder)
    assert found(folder) == []


def test_near_duplicates_among_chinese_passages_are_found(folder):
    twin = CHINESE_TEXT.replace("渔民", "船员")
    write_jsonl(folder / CHINESE, [passage(text, lang="zh") for text in (CHINESE_TEXT, twin)])
    settle(folder)
    assert f"corpus/{CHINESE}:2: " in the_only(found(folder))


def test_a_passage_must_not_repeat_a_run_of_a_statement(folder):
    write_jsonl(folder / PASSAGES, [*map(passage, PASSAGE_TEXTS), passage(EN_RUN)])
    settle(folder)
    line = the_only(found(folder))
    assert line.startswith(f"corpus/{PASSAGES}:4: ")
    assert f"with statement {record_id('s', 0)}" in line


def test_seven_words_in_common_are_allowed_between_passage_and_statement(folder):
    text = "One hopes foreign vessels would be received gladly once more."
    assert len(wording.runs(text, 7) & wording.runs(TEXTS[0], 7)) == 1
    write_jsonl(folder / PASSAGES, [*map(passage, PASSAGE_TEXTS), passage(text)])
    settle(folder)
    assert found(folder) == []


def test_runs_ignore_case_marks_and_the_dots_of_the_russian_yo():
    assert wording.runs("Всё, что мы ещё можем: это ждать; и ждать.") == wording.runs(
        "все что мы еще можем это ждать и ждать"
    )
    assert wording.runs("one two three four five six seven") == set()
    assert len(wording.runs("one two three four five six seven eight nine")) == 2
    expected = {"港口开放要等测量工作结束", "口开放要等测量工作结束以", "开放要等测量工作结束以后"}
    assert wording.runs("港口开放，要等测量工作结束以后") == expected
    assert wording.runs("港口开放要等测量工作结") == set()


# Public texts


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder of public texts: two passages, a page and a feed, all invented."""
    made = tmp_path / "shared"
    rows = [{"id": "one", "text": "Wheat did well."}, {"id": "two", "text": "Rye."}]
    write_jsonl(made / "real" / "passages.jsonl", rows)
    (made / "pages" / "site").mkdir(parents=True)
    page = "<html><style>body { margin: 0 }</style><p>The choir <b>sang</b> before the session.</p></html>"
    (made / "pages" / "site" / "one.shtml").write_text(page, encoding="utf-8")
    (made / "pages" / "feed.xml").write_text("<entry>&lt;p&gt;Barley.&lt;/p&gt;</entry>", encoding="utf-8")
    (made / "pages" / "notes.txt").write_text(PASSAGE_TEXTS[0], encoding="utf-8")
    return made


def test_texts_that_share_no_run_with_public_ones_pass(folder, shared):
    assert found(folder, shared=shared) == []
    assert dict(wording.public_texts(shared))["two"] == "Rye."


def test_a_page_s_text_is_what_a_reader_sees():
    markup = "<p>One <i>two</i>&amp;three</p><script>var four = 5;</script><style>six</style> seven</style> eight"
    assert wording.visible_text(markup).split() == ["One", "two", "&three", "seven", "eight"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pages/site/one.shtml", "<p>Nobody in the <b>ministry</b> wishes to hurry a decision.</p>"),
        ("pages/feed.xml", "<entry>Nobody in the ministry wishes &lt;b&gt;to hurry a&lt;/b&gt; call</entry>"),
        ("real/passages.jsonl", '{"id": "two", "text": "So nobody in the ministry wishes to hurry, B."}'),
    ],
)
def test_a_passage_must_not_repeat_eight_words_of_a_public_text(folder, shared, file, content):
    (shared / file).write_text(content, encoding="utf-8")
    if file.startswith("real"):
        assert found(folder, shared=shared) == []  # seven words only
        (shared / file).write_text(content.replace("hurry, B.", "hurry a thing"), encoding="utf-8")
    assert the_only(found(folder, shared=shared)).startswith(f"corpus/{PASSAGES}:2: ")


def test_a_chinese_passage_must_not_repeat_twelve_characters(folder, shared):
    page = shared / "pages" / "site" / "one.shtml"
    page.write_text("<p>我们认为各方都应当尊重渔民的意见。</p>", encoding="utf-8")
    assert the_only(found(folder, shared=shared)).startswith(f"corpus/{CHINESE}:1: ")
    page.write_text("<p>我们认为各方都应当尊重渔民的利益。</p>", encoding="utf-8")
    assert found(folder, shared=shared) == []


def test_a_statement_must_not_repeat_seven_words_of_a_public_text(folder, shared):
    page = shared / "pages" / "site" / "one.shtml"
    page.write_text("<p>Foreign vessels would be received gladly once.</p>", encoding="utf-8")
    line = the_only(found(folder, shared=shared))
    assert line.startswith(f"corpus/{STATEMENTS}:1: ")
    assert "with the public text one.shtml; say it in other words" in line
    page.write_text("<p>Foreign vessels would be received gladly, perhaps.</p>", encoding="utf-8")
    assert found(folder, shared=shared) == []


# Cards


@pytest.mark.parametrize("name", sorted(cards.CARDS))
def test_a_figure_that_is_not_the_data_s_is_found_with_its_line(folder, name):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| `harbour`"))
    path.write_text(text.replace(row, row[:-2] + "7 |"), encoding="utf-8")
    line = text.splitlines().index(row) + 1
    assert the_only(found(folder)).startswith(f"corpus/{name}:{line}: figures differ from the data")
    assert guards.write_cards(folder) == [path]
    assert path.read_text(encoding="utf-8") == text
    assert guards.write_cards(folder) == []


@pytest.mark.parametrize("name", sorted(cards.CARDS))
def test_a_line_too_many_or_too_few_is_found(folder, name):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(cards.END, f"\n| more |\n{cards.END}"), encoding="utf-8")
    assert "figures differ" in the_only(found(folder))
    lines = text.splitlines(keepends=True)
    last = lines.index(f"{cards.END}\n") - 1
    path.write_text("".join(lines[:last] + lines[last + 1 :]), encoding="utf-8")
    assert "figures differ" in the_only(found(folder))


def test_a_card_without_its_markers_is_found_and_not_written(folder):
    path = folder / "authored" / "README.md"
    path.write_text("# Card\n", encoding="utf-8")
    assert the_only(found(folder)).startswith("corpus/authored/README.md: the card is missing, or its figures'")
    with pytest.raises(DataError, match="put in the lines"):
        guards.write_cards(folder)
    assert path.read_text(encoding="utf-8") == "# Card\n"


def test_the_card_keeps_what_stands_around_the_figures(folder):
    text = (folder / "documented" / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# Card\n\n{cards.BEGIN}\n**6 statements** by 2 speakers, 2030-03-01 to 2030-03-26:")
    assert text.endswith(f"\n{cards.END}\n\nEnd.\n")


def test_the_figures_of_the_documented_card(folder):
    edit(folder, STATEMENTS, 1, lambda row: row.update(joint=True, coding_2=stances("against", "neutral")))
    edit(folder, STATEMENTS, 2, lambda row: row.update(verified=None, check_note="?", date_precision="month"))
    edit(folder, STATEMENTS, 3, lambda row: row["verified"].update(mended="A hedge was lost."))
    edit(folder, STATEMENTS, 4, lambda row: row.update(date="2030-04-16", labels=None, coding_2=None))
    put(folder, LEDGER, "s0000000000", "2031-05-04", "", "Said twice.")
    settle(folder)
    text = (folder / "documented" / "README.md").read_text(encoding="utf-8")
    coded = [("favor", "against"), ("none",) * 2, ("neutral",) * 2, ("neutral",) * 2, ("none",) * 2]
    for line in (
        "- 5 verified, 1 unverified;",
        "- 5 coded twice and adjudicated;",
        "- 1 joint texts (`joint: true`);",
        "- 1 of which only the month is known (`date_precision`).",
        "| 2030 | 0 | 0 | 6 | 6 | 1 |",
        "By country or organisation: ARD 4, BOR 2.",
        "Most often: Anna Vell 4, Osk Brandt 2; 0 others together 0.",
        f"| `harbour` | {figures.alpha(coded):.3f} | 1 | 2 | 0 | 2 | 0 / 0 / 0 | 0 / 0 / 0 |",
        "| `railway` | - | 0 | 5 | 0 | 0 | 0 / 0 / 0 | 0 / 0 / 0 |",
    ):
        assert line in text.splitlines()
    batch = next(line for line in text.splitlines() if line.startswith("| 2031-05-04 |"))
    assert batch.startswith("| 2031-05-04 | 6 | 4 | 1 | 1 | 1 | ")


def test_the_gaps_count_months_with_fewer_than_two_verified_statements_of_ones_own():
    def said(month: str, **changes: Any) -> Any:
        labels = stances("favor")
        row = statement(0, country="RUS", date=f"{month}-10", labels=labels, coding_1=labels, coding_2=labels)
        return figures.DocumentedStatement.model_validate({**row, **changes})

    held = [
        *(said("2022-01") for _ in range(2)), said("2022-02"), said("2022-02", joint=True),
        said("2022-03"), said("2022-03", verified=None), *(said("2022-04") for _ in range(3)),
        said("2022-05"), said("2022-05", labels=stances("none")), said("2023-01", country="CHN"),
    ]  # fmt: skip
    bundle = _bundle_of(held)
    lines = figures._gaps(bundle, held).splitlines()
    assert lines[0].startswith("Months of 2022-01 to 2023-01 with fewer than 2 verified statements")
    assert lines[-1] == "| RUS | `harbour` | 10 | 1 | 11 of 13 | 2022-05 to 2023-01 (9) |"
    assert lines[-2] == "| CHN | `harbour` | 12 | 1 | 13 of 13 | 2022-01 to 2023-01 (13) |"
    assert figures._gaps(bundle, held[:0]) == "No statement since 2022."


def _bundle_of(records: list[Any]) -> Any:
    from pipeline.config import Targets

    target = {"label": "x", "proposition": "x", "favor": "", "against": "", "neutral": "", "none": "", "cues": {}}
    targets = [{"id": "harbour", "core": True, **target}, {"id": "railway", **target}]
    return guards.Bundle(
        folder=Path("corpus"), statements=(), passages=(), events=(), actors=None, ledger={}, reviewed={},
        targets=Targets.model_validate({"codebook_version": "t1", "target": targets}),
    )  # fmt: skip


# Alpha


def test_alpha_of_krippendorff_s_own_example():
    # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example A: .095.
    pairs = list(zip("0100000000", "1110010100", strict=True))
    assert figures.alpha(pairs) == pytest.approx(0.095, abs=0.0005)
    more = list(zip("aabbdcccedda", "babbbcccedda", strict=True))
    assert figures.alpha(more) == pytest.approx(_alpha_by_definition(more))


def _alpha_by_definition(pairs: list[tuple[str, str]]) -> float:
    values = [value for pair in pairs for value in pair]
    observed = sum(a != b for a, b in pairs) / len(pairs)
    n = len(values)
    expected = sum(a != b for i, a in enumerate(values) for j, b in enumerate(values) if i != j) / (n * (n - 1))
    return 1 - observed / expected


def test_alpha_is_one_for_agreement_and_undefined_where_nothing_varies():
    assert figures.alpha([("a", "a"), ("b", "b")]) == 1
    assert figures.alpha([("a", "b"), ("b", "a")]) < 0
    assert str(figures.alpha([("a", "a"), ("a", "a")])) == "nan"
    assert str(figures.alpha([])) == "nan"


# The command


@pytest.fixture
def command(folder, monkeypatch, tmp_path, capsys):
    """Run `stance check-corpus` on the small corpus, some time after it was written."""
    monkeypatch.setenv("STANCE_CORPUS", str(folder))
    monkeypatch.setattr("pipeline.cli.console.now", lambda: dt.datetime(2031, 5, 4, tzinfo=dt.UTC))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["check-corpus", *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_the_command_says_that_nothing_is_wrong_and_what_was_left_out(command, tmp_path):
    status, out, err = command()
    assert (status, out) == (0, "6 statements and 4 passages checked: nothing wrong, 0 warnings\n")
    where = tmp_path / "shared"
    assert err == f"no public texts in {where} (real/ or pages/): the comparison with them is left out\n"


def test_the_command_compares_with_public_texts_beside_the_checkout(command, folder, shared):
    (shared / "pages" / "site" / "one.shtml").write_text(EN_RUN, encoding="utf-8")
    status, out, err = command()
    assert status == 1
    assert out.startswith(f"corpus/{STATEMENTS}:1: ")
    assert err.startswith("stance: 1 findings in 6 statements and 4 passages of ")
    elsewhere = shared.parent / "elsewhere"
    shared.rename(elsewhere)
    assert command()[0] == 0
    assert command("--shared", str(elsewhere))[0] == 1


def test_the_command_fails_with_one_line_for_each_finding(command, folder):
    edit(folder, STATEMENTS, 2, lambda row: row.update(speaker="Ida Stone"))
    edit(folder, PASSAGES, 1, lambda row: row.update(passage_id="a0123456789"))
    status, out, err = command()
    assert status == 1
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        f"corpus/{PASSAGES}:1", "corpus/documented/README.md:4", f"corpus/{STATEMENTS}:2", f"corpus/{STATEMENTS}:2",
    ]  # fmt: skip
    assert err.splitlines()[-1].startswith("stance: 4 findings in ")


def test_the_command_takes_today_from_the_clock(command, folder, monkeypatch):
    monkeypatch.setattr("pipeline.cli.console.now", lambda: dt.datetime(2030, 3, 20, tzinfo=dt.UTC))
    status, out, _ = command()
    assert status == 1
    assert "date: 2030-03-21 lies in the future (today is 2030-03-20)" in out


def test_the_command_registers_and_writes_the_cards_first(command, folder):
    edit(folder, STATEMENTS, 1, lambda row: row.update(text=TEXTS[0].replace("gladly", "coolly"), joint=True))
    assert command()[0] == 1
    status, _, err = command("--register", "--write-cards")
    assert status == 0
    assert "documented/ids.csv: 1 lines added or changed" in err
    assert f"written: {folder / 'documented' / 'README.md'}" in err
    assert command()[0] == 0


def test_warnings_do_not_fail_the_command(command, folder):
    source = 'source = "https://example.org/brandt"'
    edit_actors(folder, source, f'{source}\nnote = "start date uncertain"')
    edit(folder, STATEMENTS, 5, lambda row: row.update(date="2028-12-30"))
    settle(folder)
    status, out, _ = command()
    assert status == 0
    assert ": warning: " in out.splitlines()[0]
    assert out.splitlines()[-1].endswith("nothing wrong, 1 warnings")


def test_a_finding_is_one_line():
    assert str(Finding(path="a/b.csv", line=3, message="two\nlines")) == "a/b.csv:3: two lines"
    assert str(Finding(path="a/b.csv", message="x", warning=True)) == "a/b.csv: warning: x"


# What the cards say of passages, batches and years


def test_the_figures_of_the_authored_card(folder):
    edit(folder, PASSAGES, 1, lambda row: row.update(coding_1=stances("favor"), labels=stances("favor")))
    edit(folder, PASSAGES, 2, lambda row: row.update({k: stances("against", "favor") for k in codings()}))
    settle(folder)
    lines = (folder / "authored" / "README.md").read_text(encoding="utf-8").splitlines()
    english = [("favor", "neutral"), ("against", "against"), ("neutral", "neutral")]
    assert lines[3].startswith("**4 passages**: en 3, zh 1. The two codings differ on at least one target of 1,")
    assert f"| `harbour` | en | {figures.alpha(english):.3f} | 1 | 1 | 1 | 0 |" in lines
    assert "| `harbour` | zh | - | 0 | 1 | 0 | 0 |" in lines
    assert "| `railway` | en | 1.000 | 1 | 0 | 0 | 2 |" in lines


def codings() -> tuple[str, ...]:
    return ("labels", "coding_1", "coding_2")


def test_a_batch_has_its_own_alphas_and_counts(folder):
    path = folder / LEDGER
    first = record_id("s", 0)
    lines = path.read_text(encoding="utf-8").splitlines()
    moved = [line.replace("2031-05-04", "2030-12-01") if line.startswith(first) else line for line in lines]
    path.write_text("\n".join(moved) + "\n", encoding="utf-8")
    edit(folder, STATEMENTS, 1, lambda row: row["verified"].update(mended="The date."))
    settle(folder)
    text = (folder / "documented" / "README.md").read_text(encoding="utf-8")
    assert "| 2030-12-01 | 1 | 0 | 1 | 0 | 0 | - | - |" in text
    assert "| 2031-05-04 | 5 | 5 | 0 | 0 | 0 | 1.000 | - |" in text
    assert text.index("| 2030-12-01 ") < text.index("| 2031-05-04 ")
    assert found(folder) == []


def test_registering_keeps_the_batch_in_which_a_statement_came(folder):
    edit(folder, STATEMENTS, 1, lambda row: row.update(text=TEXTS[0].replace("gladly", "coolly")))
    assert guards.register(folder, today=dt.date(2031, 9, 9)) == 1
    text = (folder / LEDGER).read_text(encoding="utf-8")
    assert "2031-09-09" not in text
    assert text.splitlines()[1:] == sorted(text.splitlines()[1:])


def test_registering_leaves_out_lines_that_are_invalid(folder):
    edit(folder, STATEMENTS, 1, lambda row: row.update(statement_id="s00000000bb", country="XYZ"))
    assert guards.register(folder, today=TODAY) == 0
    assert "s00000000bb" not in (folder / LEDGER).read_text(encoding="utf-8")


def test_the_most_frequent_speakers_are_named_and_the_rest_counted(monkeypatch, folder):
    monkeypatch.setattr(figures, "TOP", 1)
    guards.write_cards(folder)
    text = (folder / "documented" / "README.md").read_text(encoding="utf-8")
    assert "Most often: Anna Vell 4; 1 others together 2." in text


def test_china_and_russia_stand_apart_in_the_tables(folder):
    edit_actors(folder, 'id = "BOR"', 'id = "RUS"')
    edit_actors(folder, 'actor = "BOR"', 'actor = "RUS"')
    for line in (5, 6):
        edit(folder, STATEMENTS, line, lambda row: row.update(country="RUS"))
    settle(folder)
    text = (folder / "documented" / "README.md").read_text(encoding="utf-8")
    assert "| 2030 | 0 | 2 | 4 | 6 | 0 |" in text
    assert "| `harbour` | 1.000 | 1 | 2 | 1 | 2 | 0 / 0 / 0 | 0 / 1 / 0 |" in text
    assert "| RUS | `harbour` |" in text
    assert found(folder) == []


codes = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=30)


@given(codes)
def test_alpha_is_that_of_the_definition_and_blind_to_order(pairs):
    value = figures.alpha(pairs)
    if len({one for pair in pairs for one in pair}) < 2:
        assert str(value) == "nan"
        return
    assert value == pytest.approx(_alpha_by_definition(pairs))
    assert value == pytest.approx(figures.alpha([(b, a) for a, b in reversed(pairs)]))
    assert value <= 1


@given(st.text(alphabet="abcXYZ 港口,.;'\n", max_size=80))
def test_a_text_has_the_runs_of_every_text_that_holds_it(text):
    whole = f"Before it. {text} After it."
    assert {run for run in wording.runs(text) if run.isascii()} <= wording.runs(whole)
    assert wording.runs(text) == wording.runs(text.upper())
    assert all(len(run.split()) == wording.WORDS or len(run) == wording.HAN for run in wording.runs(text))


@pytest.mark.parametrize(
    ("precision", "date", "expected"),
    [
        ("day", "2030-02-10", ("2030-02-10", "2030-02-10")),
        ("month", "2030-02-10", ("2030-02-01", "2030-02-28")),
        ("month", "2032-02-29", ("2032-02-01", "2032-02-29")),
        ("month", "2030-12-31", ("2030-12-01", "2030-12-31")),
    ],
)
def test_a_month_stands_for_all_of_its_days(precision, date, expected):
    said = figures.DocumentedStatement.model_validate(statement(0, date=date, date_precision=precision))
    assert tuple(day.isoformat() for day in offices.possible_days(said)) == expected


def test_content_leaves_out_the_speaker_short_and_common_words():
    assert wording.content("Anna Vell said that harbours were harboured", without="Anna Vell") == {"harbou"}
    assert wording.content("港口好") == {"港口", "口好"}

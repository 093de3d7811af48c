"""Facts about the bundled corpus: it is whole, offices hold on their days, the article's statements are there."""

import datetime as dt
import json
from collections import Counter

import pytest

from pipeline import guards
from pipeline.config import corpus_dir, load_actors, load_events, load_targets
from pipeline.corpus import (
    documented_labels,
    documented_statements,
    load_authored,
    load_documented,
    validate_corpus,
)
from pipeline.guards import cards, figures, ledger, wording
from pipeline.schema import STANCES


def days(statement):
    """Return the days on which a statement may have been made: all of its month where only that is sure."""
    day = dt.date.fromisoformat(statement.date)
    if statement.date_method == "day":
        return [day]
    month = [day.replace(day=1) + dt.timedelta(days=n) for n in range(31)]
    return [one for one in month if one.month == day.month]


@pytest.fixture(scope="module")
def rows():
    return load_documented()


@pytest.fixture(scope="module")
def statements(rows):
    return list(documented_statements(rows))


@pytest.fixture(scope="module")
def authored():
    return load_authored()


@pytest.fixture(scope="module")
def actors():
    return load_actors()


def speaker(actors, name):
    (found,) = actors.named(name)
    return found


# Whole


def test_every_file_validates_and_loads(rows, authored):
    counts = validate_corpus()
    assert sum(count for name, count in counts.items() if name.startswith("documented/")) == len(rows)
    assert sum(count for name, count in counts.items() if name.startswith("authored/")) == len(authored)
    assert counts["documented/statements.jsonl"] >= 1300
    assert sum(count for name, count in counts.items() if name.startswith("authored/")) >= 4000


def test_ids_and_texts_are_unique_over_all_files(rows, authored):
    ids = [*rows["statement_id"], *authored["passage_id"]]
    assert len(set(ids)) == len(ids)
    texts = Counter(" ".join(text.lower().split()) for text in [*rows["text"], *authored["text"]])
    assert [text for text, count in texts.items() if count > 1] == []


def test_labels_cover_every_target_of_every_double_coded_statement(rows, statements):
    labels = list(documented_labels(rows))
    lines = (corpus_dir() / "documented" / "statements.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(labels) == 5 * len(lines)
    assert {label.stance for label in labels} == set(STANCES)
    assert {label.statement_id for label in labels} == {json.loads(line)["statement_id"] for line in lines}


def test_an_adjudicated_label_is_one_that_a_coder_gave_wherever_the_two_agree(rows):
    both = [row for row in rows if row["labels"] and any(row["labels"].values())]
    agreed = [
        (row["labels"][target], row["coding_1"][target])
        for row in both
        for target in row["labels"]
        if row["coding_2"] and row["coding_1"][target] == row["coding_2"][target]
    ]
    assert len(agreed) > 2000
    assert sum(label == coding for label, coding in agreed) / len(agreed) > 0.95


def test_dates_lie_within_the_period_and_say_how_they_are_known(statements):
    assert all("2016-01-01" <= statement.date <= "2026-12-31" for statement in statements)
    assert {statement.date_method for statement in statements} == {"day", "month"}


def test_the_five_targets_are_the_codebooks():
    targets = load_targets()
    assert targets.ids == ("india", "taliban_recognition", "central_asian_security", "coordination", "us_presence")
    assert tuple(t.id for t in targets.target if t.core) == targets.ids[:3] == targets.pooled
    assert targets.declared == ("coordination",)
    assert f"version {targets.codebook_version}" in (corpus_dir() / "codebook.md").read_text().splitlines()[0]
    for target in targets.target:
        assert set(target.cues) == {"en", "ru", "zh"}
        assert f"## {target.id} - " in (corpus_dir() / "codebook.md").read_text()
        assert target.proposition.rstrip(".") in (corpus_dir() / "codebook.md").read_text()


# Guards and cards


@pytest.fixture(scope="module")
def checked(statements, rows):
    """What the guards find, on the day of the newest check (the command uses today's date)."""
    today = max(row["verified"]["on"] for row in rows if row["verified"])
    return guards.check(corpus_dir(), today=today)


def test_every_guard_passes(checked):
    assert [str(finding) for finding in checked[1]] == []


def test_the_cards_state_the_figures_of_the_data(checked, rows, authored):
    bundle, _ = checked
    texts = {name: (corpus_dir() / name).read_text(encoding="utf-8") for name in cards.CARDS}
    for name, compute in cards.CARDS.items():
        assert f"{cards.BEGIN}\n{compute(bundle)}\n{cards.END}\n" in texts[name]
    card = texts["documented/README.md"]
    unverified = sum(row["verified"] is None for row in rows)
    assert f"**{len(rows):,} statements**" in card
    assert f"{len(rows) - unverified:,} verified, {unverified} unverified" in card
    assert f"**{len(authored):,} passages**" in texts["authored/README.md"]


def test_what_was_taken_out_stays_registered(checked):
    removed = [row for row in checked[0].ledger.values() if row["removed"]]
    assert len(removed) >= 8
    assert len(checked[0].ledger) == len(removed) + len(checked[0].statements)
    assert all(row["fingerprint"] for row in checked[0].ledger.values() if not row["removed"])


def test_a_passage_s_id_is_that_of_its_text(authored):
    some = authored.select(range(0, len(authored), 50))
    assert all(row["passage_id"] == ledger.passage_id(row["text"]) for row in some)


def test_nothing_repeats_a_public_text(checked):
    shared = corpus_dir().resolve().parent.parent / "shared"
    if not (shared / "real").is_dir():
        pytest.skip(f"no public texts in {shared}")
    assert [str(finding) for finding in wording.public_runs(checked[0], shared)] == []


def test_the_documented_statements_agree_as_the_codings_say(checked):
    records = [row.record for row in checked[0].statements]
    alphas = [float(alpha) for alpha in figures.alphas(records, load_targets().ids)]
    assert len(alphas) == 5
    assert min(alphas) > 0.9


# Offices and events


def test_every_speaker_resolves_with_an_office_on_that_day(statements, actors):
    unknown = sorted({s.speaker for s in statements if not actors.named(s.speaker)})
    assert unknown == []
    without = []
    for s in statements:
        roles = [role for one in actors.named(s.speaker) for day in days(s) for role in one.roles_on(day)]
        if not roles:
            without.append((s.speaker, s.date))
    assert without == []


def test_the_country_is_that_of_an_office_held_on_that_day(statements, actors):
    differing = []
    for s in statements:
        held = {role.actor for one in actors.named(s.speaker) for day in days(s) for role in one.roles_on(day)}
        if held and s.country not in held:
            differing.append((s.speaker, s.date, s.country, sorted(held)))
    assert differing == []


@pytest.mark.parametrize(
    ("name", "day", "minister"),
    [
        ("Wang Yi", "2021-09-16", True),
        ("Wang Yi", "2022-12-30", True),
        ("Wang Yi", "2022-12-31", False),
        ("Wang Yi", "2023-07-24", False),
        ("Wang Yi", "2023-07-25", True),
        ("Qin Gang", "2022-12-29", False),
        ("Qin Gang", "2023-01-15", True),
        ("Qin Gang", "2023-07-24", True),
        ("Qin Gang", "2023-07-26", False),
        ("Sergei Lavrov", "2021-09-16", True),
    ],
)
def test_foreign_ministers_on_a_day(actors, name, day, minister):
    roles = speaker(actors, name).roles_on(dt.date.fromisoformat(day))
    titles = " / ".join(role.title for role in roles).lower()
    assert any(word in titles for word in ("foreign minister", "minister of foreign affairs")) is minister


def test_every_role_has_a_source_and_every_speaker_a_role(actors):
    roles = [role for one in actors.speaker for role in one.role]
    assert all(role.source.startswith(("https://", "http://")) for role in roles)
    assert [one.id for one in actors.speaker if not one.role] == []
    assert len(roles) >= len(actors.speaker)


def test_no_spelling_belongs_to_two_speakers_of_one_actor(actors):
    clashes = [
        (spelling, one.id, other.id)
        for one in actors.speaker
        for spelling in one.spellings
        for other in actors.named(spelling)
        if other.id != one.id and {r.actor for r in other.role} & {r.actor for r in one.role}
    ]
    assert clashes == []


def test_every_event_has_a_source_and_the_day_it_was_registered():
    events = load_events()
    assert len(events) >= 16
    assert all(event.source_url.startswith(("https://", "http://")) for event in events)
    assert all(event.registered_on is not None for event in events)
    targets = set(load_targets().ids)
    assert all(set(event.about.split()) <= targets and event.about for event in events)
    assert [event.date for event in events] == sorted(event.date for event in events)


# The article's statements


@pytest.mark.parametrize(
    ("name", "country", "month_or_day", "count", "words"),
    [
        ("Wang Yi", "CHN", "2021-09-16", 1, ("coordinate", "Russia")),
        ("Sergei Lavrov", "RUS", "2021-09-16", 1, ("coordinate", "Afghanistan")),
        ("Zamir Kabulov", "RUS", "2021-10-15", 1, ("MGIMO", "United Nations")),
        ("Alexander Sternik", "RUS", "2021-10-15", 1, ("doubts", "integration")),
        ("Alexander Sternik", "RUS", "2021-10-15", 1, ("bas", "Central Asia")),
        ("Sergei Ryabkov", "RUS", "2021-06-16", 1, ("Central Asia", "unacceptable")),
        ("Xi Jinping", "CHN", "2021-09-17", 1, ("SCO", "transition")),
        ("Bakhtiyor Khakimov", "RUS", "2021-09-23", 1, ("application", "SCO")),
        ("Bakhtiyor Khakimov", "RUS", "2021-09-23", 1, ("SCO", "bloc")),
        ("Vladimir Putin", "RUS", "2021-09-17", 1, ("Taliban", "work")),
        ("Dmitry Zhirnov", "RUS", "2021-10", 1, ("too early", "recognition")),
        ("Russian Foreign Ministry", "RUS", "2021-10-20", 1, ("Taliban", "Afghanistan")),
        ("Dmitry Peskov", "RUS", "2021-09-10", 1, ("inauguration",)),
        ("Zhao Lijian", "CHN", "2021-09-13", 1, ("inauguration", "Moscow")),
        ("Geng Shuang", "CHN", "2021-08", 1, ("Taliban", "promises", "terrorist")),
        ("Wang Yi", "CHN", "2021-10", 1, ("neighbours", "cooperate")),
        ("Wang Yu", "CHN", "2021-10-04", 1, ("Bagram",)),
        ("Emomali Rahmon", "TJK", "2021-10-15", 2, ("CIS",)),
        ("Emomali Rahmon", "TJK", "2021-10-15", 1, ("Taliban",)),
        ("Emomali Rahmon", "TJK", "2021-10-15", 1, ("common list",)),
    ],
)
def test_the_articles_statements_are_there(statements, name, country, month_or_day, count, words):
    found = [
        s
        for s in statements
        if s.speaker == name
        and s.country == country
        and s.date.startswith(month_or_day)
        and all(word in s.text for word in words)
    ]
    assert len(found) >= count
    assert all(s.url.startswith("http") for s in found)


def test_kabulovs_silence_on_china_is_kept(statements, rows):
    labels = {row["statement_id"]: row["labels"] for row in rows}
    said = [s for s in statements if s.speaker == "Zamir Kabulov" and s.date == "2021-10-15"]
    (found,) = [s for s in said if "United Nations" in s.text]
    assert "MGIMO" in found.text
    assert "China" not in found.text
    coded = labels[found.statement_id]
    assert coded is None or coded["coordination"] in (None, "none")


# Authored passages teach; they do not repeat


def runs(text, length=8):
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_no_passage_shares_a_run_of_eight_words_with_a_statement(rows, authored):
    documented = {run for text in rows["text"] for run in runs(text)}
    sharing = [text for text in authored["text"] if runs(text) & documented]
    assert documented
    assert sharing == []


def test_runs_are_found_where_there_are_any():
    assert runs("One two, three four five six; seven EIGHT nine") == {
        ("one", "two", "three", "four", "five", "six", "seven", "eight"),
        ("two", "three", "four", "five", "six", "seven", "eight", "nine"),
    }


def test_no_text_holds_a_quotation_mark(rows):
    assert not [text for text in rows["text"] if set(text) & set('"“”«»„「」')]


def test_the_corpus_folder_is_the_checkouts():
    assert (corpus_dir().parent / "pyproject.toml").is_file()

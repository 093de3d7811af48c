"""Targets, actors, roles and events: read right, and refused with file, entry and reason."""

import datetime as dt
from pathlib import Path

import pytest

from pipeline import config
from pipeline.config import Role, load_actors, load_events, load_lexicon, load_targets
from pipeline.errors import DataError, UsageError


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# Where things are


@pytest.mark.parametrize(
    ("function", "variable"),
    [("corpus_dir", "STANCE_CORPUS"), ("models_dir", "STANCE_MODELS"), ("store_path", "STANCE_STORE")],
)
def test_an_environment_variable_names_the_place(function, variable, monkeypatch):
    monkeypatch.setenv(variable, "elsewhere/x")
    assert getattr(config, function)() == Path("elsewhere/x")


def test_without_settings_the_checkouts_folders_are_used(monkeypatch, tmp_path):
    for variable in ("STANCE_CORPUS", "STANCE_MODELS", "STANCE_STORE"):
        monkeypatch.setenv(variable, "")
    package = tmp_path / "pipeline"
    (tmp_path / "corpus").mkdir()
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(config, "_PACKAGE", package)
    assert config.corpus_dir() == tmp_path / "corpus"
    assert config.models_dir() == tmp_path / "models"
    assert config.store_path() == Path("data/stance.sqlite")


def test_an_installed_wheel_uses_its_own_copy_and_models_of_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("STANCE_CORPUS", raising=False)
    monkeypatch.delenv("STANCE_MODELS", raising=False)
    monkeypatch.setattr(config, "_PACKAGE", tmp_path / "site" / "pipeline")
    assert config.corpus_dir() == tmp_path / "site" / "pipeline" / "_corpus"
    assert config.models_dir() == Path("models")


# Targets


def test_targets_are_read_in_order_with_their_parts(tiny_targets):
    assert tiny_targets.ids == ("harbour", "railway")
    assert tiny_targets.codebook_version == "t1"
    assert tiny_targets.pooled == ("harbour",)
    assert tiny_targets.declared == ("railway",)
    harbour = tiny_targets.target[0]
    assert harbour.core
    assert not tiny_targets.target[1].core
    assert harbour.cues["en"] == ("harbour*", "vessel", "open sea")
    assert harbour.cues["zh"] == ("港口",)


@pytest.mark.parametrize(
    ("asked", "selected"),
    [
        (None, ("harbour", "railway")),
        ("railway", ("railway",)),
        (" railway , harbour ", ("railway", "harbour")),
        ("harbour,", ("harbour",)),
    ],
)
def test_targets_are_selected_by_a_list_in_the_order_asked(tiny_targets, asked, selected):
    assert tiny_targets.select(asked) == selected


@pytest.mark.parametrize(
    ("asked", "named"), [("airport", "airport"), ("harbour,airport,moon", "airport, moon"), (" ,", "(none given)")]
)
def test_an_unknown_target_is_named_beside_the_known_ones(tiny_targets, asked, named):
    with pytest.raises(UsageError) as caught:
        tiny_targets.select(asked)
    assert str(caught.value) == f"unknown target: {named}. Choose among: harbour, railway."


def test_a_target_given_twice_is_refused(corpus_folder):
    change(corpus_folder / "targets.toml", 'id = "railway"', 'id = "harbour"')
    with pytest.raises(DataError, match=r"targets\.toml: target given twice: harbour\. Ids must be unique\.$"):
        load_targets(corpus_folder)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('label = "The harbour"\n', "", r"target\.0\.label: Field required"),
        ("pooled = true", 'pooled = "perhaps"', r"target\.0\.pooled: .*\(value: 'perhaps'\)"),
        ("core = true", "corr = true", r"target\.0\.corr: Extra inputs are not permitted"),
        ('codebook_version = "t1"', "", r"codebook_version: Field required"),
    ],
)
def test_a_malformed_target_is_named_with_file_and_field(corpus_folder, old, new, where):
    change(corpus_folder / "targets.toml", old, new)
    with pytest.raises(DataError, match=rf"targets\.toml: {where}.* Mend the entry\.$"):
        load_targets(corpus_folder)


def test_a_broken_toml_file_is_named(corpus_folder):
    (corpus_folder / "targets.toml").write_text("[[target]\n")
    with pytest.raises(DataError, match=r"targets\.toml is not valid TOML: .*line 1"):
        load_targets(corpus_folder)


def test_a_toml_file_that_is_not_utf8_is_named(corpus_folder):
    (corpus_folder / "targets.toml").write_bytes(b'label = "\xff"\n')
    with pytest.raises(DataError, match=r"targets\.toml is not valid TOML"):
        load_targets(corpus_folder)


def test_a_folder_without_the_files_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match=r"no file .*targets\.toml: STANCE_CORPUS must name") as caught:
        load_targets(tmp_path)
    assert not isinstance(caught.value, DataError)


# The dictionary


def test_concepts_are_read_in_order_with_the_terms_of_all_languages(tiny_corpus):
    lexicon = load_lexicon(tiny_corpus)
    assert list(lexicon.terms) == ["welcome", "refuse", "note"]
    assert lexicon.terms["welcome"] == ["welcom*", "support*", "gladly", "build * * together", "привет*", "欢迎"]
    assert lexicon.concept["refuse"].ru == ("отказ*",)
    assert lexicon.concept["note"].zh == ()


def test_the_bundled_dictionary_is_read_by_default(monkeypatch, tiny_corpus):
    monkeypatch.setenv("STANCE_CORPUS", str(tiny_corpus))
    assert load_lexicon() == load_lexicon(tiny_corpus)


def test_a_corpus_without_a_dictionary_has_no_concepts(corpus_folder):
    (corpus_folder / "lexicon.toml").unlink()
    assert load_lexicon(corpus_folder).terms == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('en = ["took note", "was mentioned"]', "", r"concepts without a term: note\."),
        ('en = ["took note", "was mentioned"]', "en = []", r"concepts without a term: note\."),
        ('zh = ["欢迎"]', 'fr = ["bienvenu"]', r"concept\.welcome\.fr: Extra inputs are not permitted"),
        ('zh = ["欢迎"]', 'zh = "欢迎"', r"concept\.welcome\.zh: .*Mend the entry\."),
        ("[concept.note]", "[concept.refuse]", r"is not valid TOML"),
        ("[concept.note]", "[notion.note]", r"notion: Extra inputs are not permitted"),
    ],
)
def test_a_malformed_dictionary_is_refused_with_the_entry(corpus_folder, old, new, message):
    change(corpus_folder / "lexicon.toml", old, new)
    with pytest.raises(DataError, match=rf"lexicon\.toml.*{message}"):
        load_lexicon(corpus_folder)


# Actors and roles


def test_actors_and_speakers_are_read(tiny_corpus):
    actors = load_actors(tiny_corpus)
    assert actors.ids == ("ARD", "BOR", "LGE")
    anna = actors.speaker[0]
    assert anna.spellings == ("Anna Vell", "Анна Велль", "A. Vell")
    assert [role.actor for role in anna.role] == ["ARD", "LGE"]
    assert actors.speaker[2].role == ()


@pytest.mark.parametrize(
    ("spelling", "ids"),
    [
        ("Anna Vell", ["anna-vell"]),
        ("  a. VELL ", ["anna-vell"]),
        ("АННА ВЕЛЛЬ", ["anna-vell"]),
        ("Osk Brandt", ["osk-brandt", "osk-brandt-younger"]),
        ("Nobody", []),
    ],
)
def test_speakers_are_found_by_any_spelling_and_namesakes_all(tiny_corpus, spelling, ids):
    assert [speaker.id for speaker in load_actors(tiny_corpus).named(spelling)] == ids


def test_a_spelling_given_twice_for_one_speaker_finds_that_speaker_once(corpus_folder):
    change(corpus_folder / "actors.toml", 'aliases = ["A. Vell"]', 'aliases = ["ANNA VELL", "anna vell"]')
    assert len(load_actors(corpus_folder).named("Anna Vell")) == 1


@pytest.mark.parametrize(
    ("day", "covered"),
    [("2029-12-31", False), ("2030-01-01", True), ("2030-12-31", True), ("2031-01-01", False)],
)
def test_a_role_covers_both_its_first_and_its_last_day(day, covered):
    role = Role(
        title="t", actor="ARD", start=dt.date(2030, 1, 1), end=dt.date(2030, 12, 31), source="https://example.org"
    )
    assert role.covers(dt.date.fromisoformat(day)) is covered


def test_a_role_without_an_end_is_held_ever_after():
    role = Role(title="t", actor="ARD", start=dt.date(2030, 1, 1), source="https://example.org")
    assert role.covers(dt.date(2999, 1, 1))
    assert not role.covers(dt.date(2029, 12, 31))


@pytest.mark.parametrize(
    ("day", "actor", "titles"),
    [
        ("2030-06-01", None, ["Foreign Minister"]),
        ("2030-12-31", None, ["Foreign Minister", "Secretary of the League"]),
        ("2030-12-31", "LGE", ["Secretary of the League"]),
        ("2031-01-01", "ARD", []),
    ],
)
def test_roles_on_a_day_can_be_restricted_to_an_actor(tiny_corpus, day, actor, titles):
    anna = load_actors(tiny_corpus).speaker[0]
    assert [role.title for role in anna.roles_on(dt.date.fromisoformat(day), actor)] == titles


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('actor = "BOR"', 'actor = "BOX"', r"speaker osk-brandt: role of unknown actor 'BOX'\.$"),
        (
            "to = 2030-12-31",
            "to = 2029-12-31",
            r"speaker anna-vell: role 'Foreign Minister' ends before it begins\.$",
        ),
        ('id = "osk-brandt-younger"', 'id = "osk-brandt"', r"speaker given twice: osk-brandt\."),
        ('id = "BOR"', 'id = "ARD"', r"actor given twice: ARD\."),
        ("from = 2029-01-01", 'from = "soon"', r"speaker\.1\.role\.0\.from: .*'soon'"),
        ('source = "https://example.org/brandt"\n', "", r"speaker\.1\.role\.0\.source: Field required"),
    ],
)
def test_a_malformed_actors_file_is_refused_with_the_entry(corpus_folder, old, new, message):
    change(corpus_folder / "actors.toml", old, new)
    with pytest.raises(DataError, match=rf"actors\.toml: {message}"):
        load_actors(corpus_folder)


def test_a_role_of_one_day_is_accepted(corpus_folder):
    change(corpus_folder / "actors.toml", "to = 2030-12-31", "to = 2030-01-01")
    assert load_actors(corpus_folder).speaker[0].role[0].end == dt.date(2030, 1, 1)


# Events


def test_events_are_read_with_dates_and_empty_cells_as_absent(tiny_corpus):
    bridge, storm = load_events(tiny_corpus / "events.csv")
    assert (bridge.event_id, bridge.date, bridge.label) == ("bridge-opens", dt.date(2030, 4, 1), "The bridge opens")
    assert bridge.registered_on == dt.date(2030, 5, 1)
    assert storm.registered_on is None
    assert storm.about == "harbour"


def test_the_bundled_events_are_read_by_default(monkeypatch, tiny_corpus):
    monkeypatch.setenv("STANCE_CORPUS", str(tiny_corpus))
    assert [event.event_id for event in load_events()] == ["bridge-opens", "storm"]


def test_further_columns_and_a_byte_order_mark_do_not_matter(tmp_path):
    path = tmp_path / "e.csv"
    path.write_bytes("\ufeffevent_id,extra,date,label\na,1,2030-01-02,Ärger\n".encode())
    (event,) = load_events(path)
    assert (event.event_id, event.date, event.label, event.source_url) == ("a", dt.date(2030, 1, 2), "Ärger", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("event_id,label\na,b\n", r"missing column date; an events file has event_id,date,label\.$"),
        ("", r"missing column event_id, date, label;"),
        ("event_id,date,label\na,2030-01-01,b\nb,2030-02-30,c\n", r", line 3: date: .* dates are YYYY-MM-DD\.$"),
        ("event_id,date,label\na,2030-01-01,\n", r", line 2: label: Field required"),
        ("event_id,date,label\na,2030-01-01\n", r", line 2: label: Field required"),
        ("event_id,date,label\na,2030-01-01,x\na,2030-01-02,y\n", r": event given twice: a\."),
    ],
)
def test_a_malformed_events_file_is_refused_with_the_line(tmp_path, content, message):
    path = tmp_path / "e.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_events(path)


def test_an_events_file_that_is_absent_or_not_utf8_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"no events file .*none\.csv\."):
        load_events(tmp_path / "none.csv")
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"event_id,date,label\na,2030-01-01,\xff\n")
    with pytest.raises(DataError, match=r"bad\.csv is not UTF-8 \(invalid start byte at byte 33\)"):
        load_events(bad)

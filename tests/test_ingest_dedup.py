"""Which statements are one: identity of texts, likeness, who is kept, and that every decision can be listed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import dedup
from pipeline.ingest.loading import read_page, write_page
from pipeline.ingest.pages import Document, Extracted, RawPage
from pipeline.ingest.sources import Family, Source
from pipeline.schema import Statement
from pipeline.store import Store
from pipeline.store.derived import Counts, decisions
from tests.site import NOW
from tests.sites import speech

LONG = (
    "The assembly of the islands has said many times that the old lighthouse belongs to all who sail, and that it "
    "will be lit again as soon as the boats are home, whatever the weather may be on that day and the next one."
)
NEAR = LONG.replace("whatever the weather may be", "whatever weather there may be")


def statement(text: str, **changes: str) -> Statement:
    given_ = {"statement_id": "", "speaker": "Vadim Orlin", "country": "RUS", "lang": "en", "date": "2031-04-01",
              "provenance": "verbatim"}  # fmt: skip
    return Statement(text=text, **{**given_, **changes})


def load(store: Store, url: str, *said: Statement, source: str = "island", content: str = "") -> Counts:
    """Load a page that holds these statements."""
    page = RawPage(
        url=url,
        content=(content or url).encode(),
        content_type="text/html",
        charset="",
        fetched_at=NOW,
        source=source,
    )
    made = Source(id=source, name=source, family=Family(id="generic"))
    extracted = Extracted(document=Document(title="A title"), statements=said)
    read = read_page(page, made, extract=lambda *_: extracted)
    with store.transaction() as db:
        return write_page(db, read, now=NOW.isoformat())


def kept(store: Store) -> list[tuple[str, str]]:
    return [(s.url, s.text) for s in store.statements()]


def listed(store: Store) -> list[tuple[object, ...]]:
    return [(d["kind"], d["kept_url"], d["other_url"]) for d in decisions(store)]


def test_the_same_words_at_two_addresses_are_one_statement_with_two_locations(store):
    assert load(store, "http://a/1", statement(LONG)) == Counts(new=1)
    changed = LONG.upper().replace(", ", " — ").replace(" ", "\u00a0")
    assert load(store, "http://b/1", statement(changed), source="mirror") == Counts(duplicate=1)
    assert kept(store) == [("http://a/1", LONG)]
    assert listed(store) == [("address", "http://a/1", "http://b/1")]
    assert load(store, "http://b/1", statement(changed), source="mirror") == Counts(unchanged=1)


@pytest.mark.parametrize(("days", "merged"), [(0, True), (1, True), (7, True), (8, False)])
def test_a_mirror_may_date_the_same_words_some_days_later_and_the_earliest_is_kept(store, days, merged):
    later = (dt.date(2031, 4, 1) + dt.timedelta(days=days)).isoformat()
    load(store, "http://mirror/1", statement(LONG, date=later), source="mirror")
    counts = load(store, "http://a/1", statement(LONG))
    assert (counts == Counts(duplicate=1)) is merged
    if merged and days:
        assert kept(store) == [("http://a/1", LONG)]
        assert listed(store) == [("exact", "http://a/1", "http://mirror/1")]


def test_one_site_that_dates_the_same_words_to_two_days_reports_two_statements(store):
    load(store, "http://a/1", statement(LONG))
    assert load(store, "http://a/2", statement(LONG, date="2031-04-02")) == Counts(new=1)
    assert len(kept(store)) == 2


def test_nearly_the_same_words_are_one_statement_and_the_earliest_wins(store):
    load(store, "http://b/1", statement(NEAR, date="2031-04-02"), source="mirror")
    assert load(store, "http://a/1", statement(LONG)) == Counts(duplicate=1)
    assert kept(store) == [("http://a/1", LONG)]
    (decision,) = decisions(store)
    assert (decision["kind"], decision["kept_url"], decision["other_url"]) == ("near", "http://a/1", "http://b/1")
    assert 0.8 <= float(str(decision["similarity"])) < 1
    assert decision["decided_at"] == NOW.isoformat()


def test_other_words_other_numbers_other_countries_other_languages_stay_apart(store):
    load(store, "http://a/1", statement(speech(1)))
    assert load(store, "http://a/2", statement(speech(2))) == Counts(new=1)
    assert load(store, "http://a/3", statement(speech(1), country="CHN", speaker="Ling Bao")) == Counts(new=1)
    assert load(store, "http://a/4", statement(speech(1), lang="ru")) == Counts(new=1)
    assert load(store, "http://a/5", statement(LONG[:100])) == Counts(new=1)
    assert load(store, "http://a/6", statement(LONG)) == Counts(new=1)
    assert listed(store) == []


def test_texts_that_differ_in_a_number_only_are_two_statements(store):
    load(store, "http://a/1", statement(LONG.replace("many", "4")))
    assert load(store, "http://b/1", statement(LONG.replace("many", "5")), source="mirror") == Counts(new=1)
    assert load(store, "http://c/1", statement(NEAR.replace("many", "5")), source="third") == Counts(duplicate=1)


def test_a_known_speaker_is_kept_before_an_unknown_one_of_the_same_day(store):
    load(store, "http://b/1", statement(LONG, country="", speaker=""), source="mirror")
    load(store, "http://a/1", statement(LONG))
    assert [(s.country, s.url) for s in store.statements()] == [("RUS", "http://a/1")]


def test_the_earliest_of_three_takes_the_others_with_it(store):
    load(store, "http://c/1", statement(LONG, date="2031-04-03"), source="third")
    load(store, "http://b/1", statement(NEAR, date="2031-04-02"), source="second")
    load(store, "http://a/1", statement(LONG, date="2031-04-01"))
    assert kept(store) == [("http://a/1", LONG)]
    # Each stands as it was decided: the third was like the second when that was the earliest.
    assert sorted(listed(store)) == [("near", "http://a/1", "http://b/1"), ("near", "http://a/1", "http://c/1")]


def test_when_the_kept_page_changes_the_next_earliest_takes_its_place(store):
    load(store, "http://a/1", statement(LONG))
    load(store, "http://b/1", statement(NEAR, date="2031-04-02"), source="second")
    load(store, "http://c/1", statement(LONG, date="2031-04-03"), source="third")
    load(store, "http://a/1", statement(speech(5)), content="mended")
    assert kept(store) == [("http://a/1", speech(5)), ("http://b/1", NEAR)]
    assert listed(store) == [("exact", "http://b/1", "http://c/1")]


def test_a_statement_stays_while_one_of_its_addresses_has_it(store):
    load(store, "http://a/1", statement(LONG))
    load(store, "http://b/1", statement(LONG), source="mirror")
    load(store, "http://a/1", content="emptied")
    assert [text for _, text in kept(store)] == [LONG]
    load(store, "http://b/1", source="mirror", content="emptied")
    assert kept(store) == []
    assert store.counts()["statements"] == 1  # left out of every reading, and not lost
    assert load(store, "http://b/1", statement(LONG), source="mirror", content="back") == Counts(new=1)
    assert kept(store) == [("http://b/1", LONG)]


def test_thanks_are_not_merged_over_pages_nor_within_one(store):
    thanks = statement("Thank you.")
    assert load(store, "http://a/1", thanks, statement(LONG), thanks) == Counts(new=3)
    other = statement("Thank you.", title="Another day")
    assert load(store, "http://a/2", other) == Counts(new=1)
    assert load(store, "http://mirror/1", thanks, thanks, source="mirror") == Counts(duplicate=2)


def test_the_same_answer_twice_on_a_page_is_one_statement_at_two_places(store):
    assert load(store, "http://a/1", statement(LONG), statement(LONG)) == Counts(new=1, duplicate=1)
    assert store.rows("SELECT position FROM locations ORDER BY position") == [(0,), (1,)]


def test_tags_go_when_the_spelling_changes_and_stay_when_it_does_not(store, tmp_path: Path):
    load(store, "http://a/1", statement(LONG))
    (one,) = store.statements()
    from pipeline.schema import Tag

    tag = Tag(target="harbour", stance="none", probabilities=(0, 0, 0, 1.0), abstained=False, model_id="m")
    store.add_tags([(one, [tag])], command="t", model_id="m", codebook_version="1", now=NOW)
    load(store, "http://a/1", statement(LONG), content="new layout")
    assert list(store.untagged("m")) == []
    load(store, "http://a/1", statement(LONG.upper()), content="in capitals")
    assert [s.text for s in store.untagged("m")] == [LONG.upper()]


# ---- texts


def test_normalising_undoes_what_mirrors_change():
    assert dedup.normalised("  “Ａ Harbour”,\n OPEN—wide! ") == "a harbour open wide"
    assert dedup.normalised("港口， 开放 。") == dedup.normalised("港口开放")
    assert dedup.normalised("Гавань, открыта") == "гавань открыта"


def test_similarity_is_the_share_of_common_shingles():
    left, right = dedup.shingles("a b c d e"), dedup.shingles("b c d e f")
    assert len(left) == 3
    assert dedup.similarity(left, right) == pytest.approx(2 / 4)
    assert dedup.similarity(left, left) == 1.0
    assert dedup.similarity(dedup.shingles(""), dedup.shingles("a b")) == 0.0


@given(st.lists(st.sampled_from("abcdefghij"), min_size=14, max_size=60))
def test_a_text_is_like_itself_and_shares_every_band(words):
    hashed = dedup.shingles(" ".join(words))
    assert dedup.similarity(hashed, hashed) == 1.0
    assert len(dedup.bands(hashed)) in {0, 16}


def test_bands_find_nearly_all_likes_and_few_others():
    found = unlike = 0
    for number in range(150):
        words = [f"w{number}x{i}" for i in range(120)]
        changed = words.copy()
        for at in (10, 50, 90):
            changed[at] = f"z{at}"
        like, other = (
            dedup.shingles(" ".join(changed)),
            dedup.shingles(" ".join(f"v{number}x{i}" for i in range(120))),
        )
        own = set(dedup.bands(dedup.shingles(" ".join(words))))
        assert dedup.similarity(dedup.shingles(" ".join(words)), like) > dedup.SIMILAR
        found += bool(own & set(dedup.bands(like)))
        unlike += bool(own & set(dedup.bands(other)))
    assert found >= 149
    assert unlike == 0


def test_short_texts_have_no_bands():
    assert dedup.bands(dedup.shingles("too short for that")) == ()
    assert not dedup.is_long(dedup.normalised("Thank you."))
    assert dedup.is_long(dedup.normalised("群岛议会就旧灯塔问题进行了长时间讨论，决定在渔船返航之前"))

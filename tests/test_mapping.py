"""Tags as columns of a data set: the tags of each text, however the rows are cut and spread."""

import pickle

import pytest
from datasets import Dataset

from pipeline import ColumnTagger, tag_texts
from pipeline.errors import UsageError
from tests.test_tagging import FRESH


@pytest.fixture
def tagger(tiny_models_folder, monkeypatch):
    monkeypatch.setenv("STANCE_MODELS", str(tiny_models_folder))
    return ColumnTagger()


def test_a_data_set_gets_the_tags_of_its_texts(tagger, tiny_model):
    mapped = Dataset.from_dict({"id": range(5), "text": FRESH}).map(tagger, batched=True, batch_size=2)
    assert mapped.column_names[:2] == ["id", "text"]
    for row, tags in zip(mapped, tag_texts(tiny_model, FRESH), strict=True):
        for tag in tags:
            assert row[tag.target] == tag.stance
            assert row[f"{tag.target}_p"] == pytest.approx(tag.probabilities)
            assert row[f"{tag.target}_abstained"] == tag.abstained
            assert row[f"{tag.target}_evidence"] == tag.evidence


def test_a_stream_gets_them_too(tagger):
    whole = Dataset.from_dict({"text": FRESH})
    streamed = whole.to_iterable_dataset().map(tagger, batched=True, batch_size=3)
    assert [row["harbour"] for row in streamed] == whole.map(tagger, batched=True)["harbour"]


def test_languages_that_are_given_count_and_blank_texts_are_silent(tagger):
    columns = tagger({"text": [FRESH[0], FRESH[0], None], "lang": ["fr", None, ""]})
    assert columns["harbour"] == ["none", "favor", "none"]
    assert columns["harbour_abstained"][0] is True


def test_only_the_targets_asked_for_and_another_column(tagger, tiny_model):
    chosen = ColumnTagger(str(tiny_model.folder), targets=("railway",), text="body")
    assert list(chosen({"body": FRESH})) == ["railway", "railway_p", "railway_abstained", "railway_evidence"]


def test_it_travels_light(tagger):
    tagger({"text": FRESH})
    assert len(pickle.dumps(tagger)) < 1000


def test_no_model_is_said_at_once(tagger):
    with pytest.raises(UsageError, match="unknown model: nowhere"):
        ColumnTagger("nowhere")


def test_texts_alone_are_enough(tiny_model):
    (tags,) = tag_texts(tiny_model, FRESH[1:2], targets=("railway",))
    assert [(tag.target, tag.stance) for tag in tags] == [("railway", "against")]

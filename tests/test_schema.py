"""Records and columns: the names that files and checks outside depend on."""

import dataclasses

import pytest

from pipeline import schema
from pipeline.schema import Label, Statement, Tag


def test_stances_keep_their_order():
    assert schema.STANCES == ("favor", "neutral", "against", "none")


def test_scores_are_signed_and_none_has_no_score():
    assert dict(schema.SCORE) == {"favor": 1.0, "neutral": 0.0, "against": -1.0}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            schema.STATEMENT_COLUMNS,
            "statement_id,doc_id,date,date_method,speaker,role,country,venue,lang,source,url,title,text,provenance",
        ),
        (
            schema.TAG_COLUMNS,
            "statement_id,doc_id,date,speaker,country,lang,target,stance,p_favor,p_neutral,p_against,p_none,"
            "confidence,abstained,evidence_start,evidence_end,evidence,model_id",
        ),
        (schema.LABEL_COLUMNS, "statement_id,target,stance,sampling_prob"),
        (schema.EVENT_COLUMNS, "event_id,date,label"),
        (
            schema.TREND_COLUMNS,
            "schema_version,run_id,period_start,period_end,freq,scope,country,target,measure,unit,estimate,"
            "conf_low,conf_high,conf_level,std_error,estimator,naive_estimate,n_statements,n_addressed,n_eff,"
            "n_documents,n_labelled,status,model_id,labels_id",
        ),
        (
            schema.TEST_COLUMNS,
            "test,target,event_id,window_start,window_end,statistic,effect,unit,conf_low,conf_high,p_value,"
            "p_adjusted,n_permutations,min_detectable_effect",
        ),
    ],
)
def test_columns_are_those_of_the_interface(columns, expected):
    assert ",".join(columns) == expected


def test_measures_and_frequencies_are_those_of_the_interface():
    assert ",".join(schema.MEASURES) == (
        "position,salience,gap,convergence,same_side_prob,pooled_convergence,declared_coordination,coordination_gap"
    )
    assert schema.FREQUENCIES == ("month", "quarter")
    assert schema.PROVENANCES == ("paraphrase", "verbatim", "reported")
    assert schema.SCHEMA_VERSION == "1"


def test_probability_columns_follow_the_order_of_the_stances():
    assert tuple(f"p_{stance}" for stance in schema.STANCES) == schema.PROBABILITY_COLUMNS


@pytest.mark.parametrize("record", [Statement, Label, Tag])
def test_records_are_frozen_slotted_and_keyword_only(record):
    parameters = record.__dataclass_params__
    assert parameters.frozen
    assert "__slots__" in vars(record)
    assert all(field.kw_only for field in dataclasses.fields(record))


def test_a_statement_has_every_exported_column_and_defaults_to_empty_text():
    statement = Statement(statement_id="a", text="b")
    beside = {"joint", "verified", "context", "attribution"}
    assert set(schema.STATEMENT_COLUMNS) | beside == {f.name for f in dataclasses.fields(Statement)}
    assert [
        getattr(statement, name) for name in schema.STATEMENT_COLUMNS if name not in ("statement_id", "text")
    ] == [""] * 12
    assert statement.joint is False


def test_a_label_is_drawn_with_certainty_unless_told():
    assert Label(statement_id="a", target="harbour", stance="favor").sampling_prob == 1.0


def test_a_tag_without_evidence_has_no_offsets():
    tag = Tag(target="t", stance="none", probabilities=(0, 0, 0, 1), abstained=False, model_id="m")
    assert (tag.evidence_start, tag.evidence_end, tag.evidence, tag.confidence) == (None, None, "", 0.0)


def test_a_record_cannot_be_changed():
    label = Label(statement_id="a", target="harbour", stance="favor")
    with pytest.raises(dataclasses.FrozenInstanceError):
        label.stance = "against"

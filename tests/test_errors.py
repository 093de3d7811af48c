"""The exception family: which exit status each one ends with, and what catches it."""

import pytest

from pipeline import errors


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("StanceError", 1),
        ("UsageError", 2),
        ("DataError", 2),
        ("StoreError", 1),
        ("ArtifactError", 1),
        ("PartialError", 3),
        ("OutputClosedError", 0),
    ],
)
def test_each_error_ends_with_its_status(name, status):
    assert getattr(errors, name)("x").exit_status == status


def test_every_public_error_belongs_to_the_family():
    public = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert len(public) == 7
    assert all(issubclass(kind, errors.StanceError) for kind in public)


def test_a_data_error_is_a_usage_error_but_a_store_error_is_not():
    assert issubclass(errors.DataError, errors.UsageError)
    assert not issubclass(errors.StoreError, errors.UsageError)
    assert not issubclass(errors.PartialError, errors.UsageError)

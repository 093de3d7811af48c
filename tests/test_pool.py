"""Processes: results in order, few under way, and a process that dies is named."""

import os
import signal

import pytest
from joblib import Parallel, delayed

from pipeline.classify import pool
from pipeline.classify.pool import ordered
from pipeline.errors import StanceError


def square(number):
    return number, number * number, os.getpid()


def die(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_come_in_order_from_several_processes():
    found = list(ordered(square, range(40), workers=2))
    assert [row[:2] for row in found] == [(n, n * n) for n in range(40)]
    assert os.getpid() not in {row[2] for row in found}


@pytest.mark.parametrize(("items", "workers"), [(range(1), 2), (range(0), -1), (range(9), 1)])
def test_one_item_or_one_worker_needs_no_process(items, workers):
    found = list(ordered(square, items, workers=workers))
    assert len(found) == len(items)
    assert {row[2] for row in found} <= {os.getpid()}


def test_items_are_taken_as_results_are_taken():
    taken = []

    def endless():
        for number in range(1_000_000):
            taken.append(number)
            yield number

    found = ordered(square, endless(), workers=2)
    for number in range(6):
        assert next(found)[0] == number
    assert len(taken) <= 6 + pool._AHEAD * 2
    found.close()


def test_a_failure_in_a_process_comes_out_here():
    with pytest.raises(TypeError):
        list(ordered(square, [1, None], workers=2))


def test_a_process_that_is_killed_is_named_and_the_next_work_goes_on():
    with pytest.raises(StanceError, match=r"a worker process was killed.*--resume"):
        list(ordered(die, range(8), workers=2))
    assert [row[0] for row in ordered(square, range(4), workers=2)] == [0, 1, 2, 3]


def test_joblib_can_work_in_the_same_process_afterwards():
    assert len(list(ordered(square, range(4), workers=2))) == 4
    assert [row[0] for row in Parallel(n_jobs=2)(delayed(square)(number) for number in range(3))] == [0, 1, 2]

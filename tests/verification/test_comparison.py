import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hessbench.errors import HessbenchError
from hessbench.verification.comparison import BETTER, EXTRA, KEYS, MISSING, UNIT, WITHIN, WORSE, compare

names = st.tuples(
    st.sampled_from(["table-2", "table-3", "table-4"]),
    st.sampled_from(["E", "E-F", "E-F-H"]),
    st.sampled_from(["energy", "force", "hessian"]),
)
values = st.floats(1e-3, 1e4)
rows = st.tuples(values, st.floats(0, 0.3), st.floats(0, 50))
few = settings(max_examples=30, deadline=None)
pins = st.dictionaries(names, rows, min_size=1, max_size=27)


def frame(content):
    return pd.DataFrame(
        [(*key, "kcal/mol", *row) for key, row in content.items()],
        columns=[*KEYS, "unit", "rmse", "rtol", "atol"],
    )


def found_from(pinned):
    return pinned[[*KEYS, "unit", "rmse"]].copy()


def tolerance(row):
    return row.atol + row.rtol * row.rmse


@few
@given(pins)
def test_equal_tables_are_within(content):
    pinned = frame(content)
    result = compare(found_from(pinned), pinned)
    assert len(result) == len(pinned)
    assert (result["status"] == WITHIN).all()
    assert (result["deviation"] == 0).all()


@few
@given(pins, st.data())
def test_any_change_beyond_tolerance_is_found_and_no_other_row_blamed(content, data):
    pinned = frame(content)
    position = data.draw(st.integers(0, len(pinned) - 1))
    times = data.draw(st.floats(1.001, 1000))
    sign = data.draw(st.sampled_from([1, -1]))
    row = pinned.iloc[position]
    change = times * max(tolerance(row), 1e-6 * row["rmse"])
    found = found_from(pinned)
    found.loc[position, "rmse"] += sign * change
    result = compare(found, pinned)
    wrong = result[result["status"] != WITHIN]
    assert wrong[KEYS].to_numpy().tolist() == [row[KEYS].tolist()]
    assert wrong["status"].item() == (WORSE if sign > 0 else BETTER)


@few
@given(pins, st.data())
def test_no_change_below_tolerance_is_reported(content, data):
    pinned = frame(content)
    found = found_from(pinned)
    for position, row in enumerate(pinned.itertuples()):
        found.loc[position, "rmse"] += data.draw(st.floats(-0.999, 0.999)) * tolerance(row)
    assert (compare(found, pinned)["status"] == WITHIN).all()


@few
@given(pins, st.randoms())
def test_the_order_of_rows_does_not_matter(content, random):
    pinned = frame(content)
    found = found_from(pinned)
    found.loc[0, "rmse"] *= 3
    shuffled = list(range(len(pinned)))
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(compare(found, pinned), compare(found.iloc[shuffled], pinned))
    pd.testing.assert_frame_equal(compare(found, pinned), compare(found, pinned.iloc[shuffled]))


@few
@given(pins, pins)
def test_missing_and_extra_rows_are_named(one, other):
    pinned, found = frame(one), frame(other).drop(columns=["rtol", "atol"])
    result = compare(found, pinned).set_index(KEYS)["status"]
    assert set(result.index) == one.keys() | other.keys()
    assert set(result.index[result == MISSING]) == one.keys() - other.keys()
    assert set(result.index[result == EXTRA]) == other.keys() - one.keys()


@few
@given(pins)
def test_another_unit_is_not_compared(content):
    pinned = frame(content)
    found = found_from(pinned)
    found.loc[0, "unit"] = "eV"
    found.loc[0, "rmse"] *= 1000
    result = compare(found, pinned)
    assert (result["status"] == UNIT).sum() == 1
    assert (result["status"] == WITHIN).sum() == len(pinned) - 1


@few
@given(pins, st.sampled_from(["rmse", "rtol", "atol"]), st.sampled_from([np.nan, np.inf, -1.0]))
def test_numbers_that_cannot_be_compared_are_refused(content, column, value):
    assume(not (column == "rmse" and value == -1.0))
    pinned = frame(content)
    found = found_from(pinned)
    pinned.loc[0, column] = value
    with pytest.raises(HessbenchError, match=column):
        compare(found, pinned)


def test_a_row_that_stands_twice_is_refused():
    pinned = frame({("table-2", "E", "energy"): (1.0, 0.1, 0.0)})
    twice = pd.concat([pinned, pinned], ignore_index=True)
    for found, expected in ((found_from(twice), pinned), (found_from(pinned), twice)):
        with pytest.raises(HessbenchError, match="table-2, E, energy twice"):
            compare(found, expected)

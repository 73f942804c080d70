from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.reduction import reduce

ROWS = [[Fraction(1), Fraction(3)], [Fraction(6)], [Fraction(2), Fraction(5), Fraction(1)]]


def padded():
    losses = np.full((3, 3), Fraction(999))
    mask = np.zeros((3, 3), dtype=bool)
    for b, row in enumerate(ROWS):
        losses[b, : len(row)], mask[b, : len(row)] = row, True
    return losses, mask


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ("sum", sum(sum(row) for row in ROWS)),
        ("mean", sum(sum(row) for row in ROWS) / 6),
        ("token_mean", sum(sum(row) for row in ROWS) / 6),
        ("seq_mean_token_sum", sum(sum(row) for row in ROWS) / 3),
        ("seq_mean_token_mean", sum(sum(row) / len(row) for row in ROWS) / 3),
        ("seq_mean_token_sum_norm", sum(sum(row) for row in ROWS) / 3 / 8),
    ],
)
def test_against_lists_of_rows(how, value):
    assert reduce(*padded()[:1], how, padded()[1], length=8) == value
    narrow = reduce(padded()[0].astype(np.float32), how, padded()[1], length=8)
    assert narrow.dtype == np.float32
    assert abs(narrow - value) < 1e-5  # float32 carries 7 digits


def test_none_keeps_samples_and_drops_masked_ones():
    losses, mask = padded()
    assert (reduce(losses, "none", mask) == np.where(mask, losses, 0)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], "average"), "give one of none, sum, mean"),
        (([1.0], "mean", [False]), "nothing to reduce"),
        (([1.0], "mean", [1.0]), "give booleans"),
        (([1.0], "seq_mean_token_mean"), r"\(sequences, tokens\)"),
        (([[1.0], [1.0]], "seq_mean_token_mean", [[True], [False]]), "sequence 1 has no token"),
        (([[1.0]], "seq_mean_token_sum_norm"), "length = None"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InvalidBatch, match=message):
        reduce(*arguments)

"""The exact law of a random program, by running it on every sequence of its choices: the oracle of the learners' tests."""

from collections import defaultdict
from fractions import Fraction
from functools import cache

import numpy as np
from scipy.stats import chi2

from rlexact.mdp import MDP

HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)


@cache
def small():
    """Two states to act in, random rewards, a terminal state, and a step that may end by itself."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 1, 1, False), (HALF, 0, -2, False)],
            (0, 1): [(QUARTER, None, 6, True), (3 * QUARTER, 1, 3, False)],
            (1, 0): [(1, 0, HALF, False)],
            (1, 1): [(HALF, 2, 4, False), (HALF, 0, 0, False)],
        },
        HALF,
        initial=[3 * QUARTER, QUARTER, 0],
        terminal=[2],
    )


def law_of(program):
    """{result: probability} of `program(pick)`, where `pick(weights)` draws an index and results are tuples."""
    law, unfinished = defaultdict(Fraction), [[]]
    while unfinished:
        prefix, trail, probability = unfinished.pop(), [], [Fraction(1)]

        def pick(weights, prefix=prefix, trail=trail, probability=probability):
            if len(trail) < len(prefix):
                k = prefix[len(trail)]
            else:
                k, *others = [i for i, w in enumerate(weights) if w]
                unfinished.extend([*trail, other] for other in others)
            trail.append(k)
            probability[0] *= weights[k]
            return k

        law[program(pick)] += probability[0]
    assert abs(sum(law.values()) - 1) < 1e-12
    return law


class Life:
    """A model lived through picked choices: `s` is where it is, and it begins anew after an end, or after `limit` steps."""

    def __init__(self, mdp, pick, limit=None):
        self.mdp, self.pick, self.limit = mdp, pick, limit
        self.begin()

    def begin(self):
        self.s, self.age = self.pick(list(self.mdp.initial)), 0

    def step(self, a):
        """-> (reward, next state or None, whether nothing follows, whether another episode begins)"""
        outcomes = self.mdp.outcomes(self.s, a)
        _, following, reward, ended = outcomes[self.pick([p for p, *_ in outcomes])]
        ended = ended or bool(self.mdp.terminal[following])
        self.age += 1
        over = ended or self.age == self.limit
        if over:
            self.begin()
        else:
            self.s = following
        return reward, following, ended, over


def assert_lands(samples, law):
    """Each sample is a possible result, they come as often as they should, and their mean within 4.5 exact standard errors."""
    values = np.array([[float(x) for x in result] for result in law])
    p = np.array([float(x) for x in law.values()])
    found = np.array(samples, dtype=float)
    counts = np.zeros(len(p))
    for x in found:
        gaps = np.abs(values - x).max(axis=1)
        assert gaps.min() < 1e-12, x  # a few operations on numbers below 10
        counts[gaps.argmin()] += 1
    assert_frequent(counts, len(found) * p)
    mean = p @ values
    error = np.sqrt(p @ (values - mean) ** 2 / len(found))
    assert (
        np.abs(found.mean(axis=0) - mean) <= 4.5 * error + 1e-12
    ).all()  # 1 in 150,000 per entry, and seeds are fixed


def assert_frequent(counts, expected):
    """Pearson's χ², results expected fewer than 5 times taken together, at a level of 1 in 100,000."""
    often = expected >= 5
    seen, due = (np.append(x[often], x[~often].sum()) for x in (counts, expected))
    seen, due = seen[due > 1e-9], due[due > 1e-9]
    if len(due) > 1:
        assert ((seen - due) ** 2 / due).sum() < chi2.isf(1e-5, len(due) - 1)

"""A model for the batch learners' tests, and the test of a sample mean against its exact law."""

from fractions import Fraction
from functools import cache

import numpy as np
import scipy.stats

from rlexact.exact import parameterisation as pm
from rlexact.learning.softmax_actor import SoftmaxActor
from rlexact.mdp import MDP

HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
THETA = np.array([[0.3, -0.4], [0.5, 0.1], [0.0, 0.0]])
WRONG = np.array([3.0, -0.5, 0.0])  # a critic that is far from any value


@cache
def busy():
    """Random rewards, two actions, a step that may end by itself, and a start that may be terminal already."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 1, 1, False), (HALF, 0, -2, False)],
            (0, 1): [(THIRD, None, 4, True), (2 * THIRD, 2, 3, False)],
            (1, 0): [(1, 0, HALF, False)],
            (1, 1): [(HALF, 2, 2, False), (HALF, None, -1, True)],
        },
        Fraction(3, 4),
        initial=[HALF, QUARTER, QUARTER],
        terminal=[2],
    ).to_float()


@cache
def endless():
    """Two states for ever, rewards in [0, 1]: every batch of T steps has T steps."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 0, 1, False), (HALF, 1, 0, False)],
            (0, 1): [(1, 1, HALF, False)],
            (1, 0): [(QUARTER, 0, 0, False), (3 * QUARTER, 1, QUARTER, False)],
            (1, 1): [(1, 0, 1, False)],
        },
        Fraction(3, 4),
        initial=[HALF, HALF],
    ).to_float()


def arms(*rewards):
    """One decision that ends the episode."""
    return MDP.from_outcomes([[[(1.0, None, float(r), True)] for r in rewards]], 1.0, 0)


def actor_at(mdp, theta=THETA, v=None):
    return SoftmaxActor(mdp, theta[: mdp.n_states], v)


def family(actor):
    return pm.softmax_at(actor.model, actor.policy)


def assert_mean(samples, law):
    """The mean of independent samples (n, ...) agrees with an exact law: n (m - μ)ᵀ C⁺ (m - μ) is χ² with rank C degrees.

    A right learner fails 1 time in 10⁶, and seeds are fixed; where C has no extent the mean is exact, up to rounding.
    """
    off = (np.mean(samples, axis=0) - law.mean).ravel()
    C = np.asarray(law.covariance, dtype=float)
    inverse, rank = np.linalg.pinv(C, rcond=1e-9, hermitian=True), np.linalg.matrix_rank(C, tol=1e-9, hermitian=True)
    assert np.abs(off - C @ (inverse @ off)).max() < 1e-9
    assert len(samples) * off @ inverse @ off < scipy.stats.chi2.isf(1e-6, rank)

"""Bounds at γ = 1 against exact values, for values that are right and for values that are not."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.ending import ending_model
from rlexact.exact.ending_bounds import ending_bounds
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from tests.strategies import as_floats, in_world

MODELS = {
    "lake": gallery.frozen_lake(gamma=Fraction(1)),
    "4x3": gallery.aima_grid(),
    "cliff": gallery.cliff_walk(),
    "gambler": gallery.gambler(goal=12),
}


def asked(mdp, push=0.0):
    ending = ending_model(mdp)
    v = ending.lift(policy_value(ending.mdp, ending.start)) + push * ~mdp.terminal
    return ending_bounds(mdp, ending, v, ending.start)


@pytest.mark.parametrize("world", ["float64", "sparse float64"])
@pytest.mark.parametrize("push", [0.0, 0.25, -0.25])
@pytest.mark.parametrize("name", MODELS)
def test_the_optimum_lies_between(name, push, world):
    """From the value of a policy that only ends, and from that pushed off: wide or infinite, but true."""
    low, high = asked(in_world(MODELS[name], world), push)
    truth = as_floats(policy_iteration(MODELS[name]).v)
    assert (low <= truth + 1e-12).all()  # the model's thirds and tenths, rounded, move V* by that much at most
    assert (truth <= high + 1e-12).all()


@pytest.mark.parametrize("name", MODELS)
def test_close_where_the_values_are_the_optimum(name):
    mdp = MODELS[name].to_float()
    ending = ending_model(mdp)
    answer = policy_iteration(mdp)
    start = ending_model(MODELS[name])
    best = policy_iteration(start.mdp).policy.astype(float)
    low, high = ending_bounds(mdp, ending, answer.v, best)
    assert np.max(high - low) < 1e-10  # at most some hundred steps, each with the rounding of values below 200


def test_exact_values_bound_themselves():
    mdp = MODELS["lake"]
    low, high = asked(mdp)
    assert low is high

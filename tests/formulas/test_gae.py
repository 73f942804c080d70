from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import MixedNumbers
from rlexact.exact.paths import paths
from rlexact.exact.return_estimators import lambda_advantage
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.gae import gae, td_errors
from rlexact.gallery import random_walk
from rlexact.policy import uniform


def by_definition(rewards, values, next_values, terminated, truncated, gamma, lam):
    """Σ_l (γλ)^l δ_{t+l} up to the first flag, summed forward for every t."""
    out = []
    for t in range(len(rewards)):
        total = 0 * rewards[0]
        for k in range(t, len(rewards)):
            bootstrap = 0 if terminated[k] else gamma * next_values[k]
            total += (gamma * lam) ** (k - t) * (rewards[k] + bootstrap - values[k])
            if terminated[k] or truncated[k]:
                break
        out.append(total)
    return np.array(out)


def exact_batch(rng, steps):
    def fractions():
        return np.array([Fraction(int(x), 7) for x in rng.integers(-20, 20, steps)])

    return fractions(), fractions(), fractions(), rng.random(steps) < 0.2, rng.random(steps) < 0.2


@pytest.mark.parametrize("seed", range(5))
def test_recursion_is_the_definition_in_fractions(seed):
    batch = exact_batch(np.random.default_rng(seed), 12)
    found = gae(*batch, Fraction(9, 10), Fraction(2, 3))
    assert (found == by_definition(*batch, Fraction(9, 10), Fraction(2, 3))).all()
    assert all(isinstance(x, Fraction) for x in found)


def test_on_enumerated_paths_it_is_the_exact_room_s_estimator():
    walk = random_walk()
    v = np.array([Fraction(k, 7) for k in range(walk.n_states)]) * ~walk.terminal
    estimator = lambda_advantage(walk, v, Fraction(1, 2))
    for path in paths(walk, uniform(walk), 4):
        if not path.actions:
            continue
        steps = len(path.actions)
        following = [v[s] for s in path.states[1:]] + [Fraction(0)] * (steps + 1 - len(path.states))
        ended = np.zeros(steps, dtype=bool)
        ended[-1] = walk.terminal[path.states[-1]]
        values = [v[s] for s in path.states[:steps]]
        found = gae(path.rewards, values, following, ended, None, walk.gamma, Fraction(1, 2))
        assert list(found) == [estimator(path, t) for t in range(steps)]


def test_both_flags_set_means_terminated():
    ended, cut = np.array([True]), np.array([True])
    assert gae([1], [0], [10], ended, cut, 0.5, 1)[0] == 1
    assert gae([1], [0], [10], ~ended, cut, 0.5, 1)[0] == 6


def test_worlds_and_axes_stay():
    r = np.ones((3, 2), dtype=np.float32)
    no = np.zeros((3, 2), dtype=bool)
    found = gae(r, r, r, no, no, 0.5, 0.5)
    assert found.shape == (3, 2)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rewards": [1.0, np.nan]}, r"rewards\[1\] = nan: give numbers that are finite"),
        ({"values": [1.0]}, "shapes differ"),
        ({"rewards": [[1.0], [1.0]]}, "shapes differ"),
        ({"terminated": [0.0, 1.0]}, "dtype float64: give booleans"),
        ({"truncated": [True]}, "truncated has shape"),
        ({"gamma": 1.5}, r"gamma = 1.5: give numbers in \[0, 1\]"),
        ({"lam": -0.5}, "lam = -0.5"),
        ({"rewards": 1.0, "values": 1.0, "next_values": 1.0}, "time axis"),
        ({"rewards": [], "values": [], "next_values": []}, "empty batch"),
    ],
)
def test_refusals(change, message):
    good = {"rewards": [1.0, 2.0], "values": [0.0, 0.0], "next_values": [0.0, 0.0], "terminated": None}
    with pytest.raises(InvalidBatch, match=message):
        gae(**{**good, "truncated": None, "gamma": 0.5, "lam": 0.5, **change})


def test_exact_beside_float_is_refused():
    with pytest.raises(MixedNumbers):
        td_errors([Fraction(1)], [0.5], [0], None, Fraction(1, 2))


def test_symbols_stay_symbols():
    sympy = pytest.importorskip("sympy")
    g, lam, r, v = sympy.symbols("gamma lambda r v")
    found = gae([r, r], [v, v], [v, 5], [False, True], None, g, lam)
    assert sympy.expand(found[0] - (r + g * v - v + g * lam * (r - v))) == 0

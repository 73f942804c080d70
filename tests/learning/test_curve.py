"""Runs and curves: where errors are taken, what they are measured from, and what is refused."""

import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import gallery
from rlexact.arithmetic import NotExact
from rlexact.exact.evaluation import expected_return
from rlexact.learning.curve import Learned, Run, distance, floats, marks, regret, seeded, visited
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic, deterministic_policies, uniform
from rlexact.solution import NotConverged


def test_the_error_is_taken_after_the_body_of_each_checkpoint():
    v, truth = np.zeros(2), np.array([Fraction(8), Fraction(1, 2)], dtype=object)
    run = Run(8, distance(truth, v), checkpoints=[4, 2], unit="updates")
    for k in run:
        v[0] = k
    assert run.curve.steps.tolist() == [0, 2, 4, 8]
    assert run.curve.errors.tolist() == [8, 6, 4, 0.5]
    assert run.curve.truth is truth
    assert run.curve.unit == "updates"
    learned = Learned(run.curve, v=v)
    assert learned.error == 0.5
    assert (learned.q, learned.policy, dict(learned.tables)) == (None, None, {})


def test_places_that_do_not_count_are_left_out():
    v = np.array([1.0, 50.0])
    assert distance(np.array([3.0, 0.0]), v, np.array([True, False])).read() == 2
    assert distance(np.array([3.0, 0.0]), lambda: v).read() == 50
    with pytest.raises(ValueError, match="shape"):
        distance(np.zeros(3), v)


def test_checkpoints():
    assert sorted(marks(1000, 3)) == [10, 100, 1000]
    assert sorted(marks(3, 30)) == [1, 2, 3]
    assert sorted(marks(10, range(0, 8, 4))) == [0, 4, 10]
    for bad in ([11], [-1], 0, -3):
        with pytest.raises(ValueError, match="checkpoint"):
            marks(10, bad)
    for bad in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="episodes"):
            Run(bad, distance(np.zeros(1), np.zeros(1)), unit="episodes")


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse])
def test_regret_is_exact(convert):
    exact = gallery.left_right_loop()
    model = convert(exact)
    best = max(expected_return(exact, pi) for pi in deterministic_policies(exact))
    for pi in deterministic_policies(exact):
        stick = regret(model, lambda pi=pi: floats(pi))
        # two solves of a 2 × 2 system with values below 20
        assert abs(stick.read() - float(best - expected_return(exact, pi))) < 1e-13
        assert abs(float(stick.truth - best)) < 1e-13
    assert regret(model, lambda: floats(uniform(exact)), best=20).truth == 20


def test_divergence_is_refused_with_the_curve_so_far():
    v = np.ones(1)
    run = Run(500, distance(np.zeros(1), v))

    def diverge():
        for _ in run:
            v[:] = np.inf if v[0] > 1e300 else v * 1e6

    with pytest.raises(NotConverged, match="step sizes") as caught:
        diverge()
    assert caught.value.best.steps[-1] < 500
    assert np.isfinite(caught.value.best.errors).all()


def test_a_bar_only_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)  # an import of it would fail
    assert list(Run(3, distance(np.zeros(1), np.zeros(1)))) == [1, 2, 3]
    monkeypatch.undo()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(Run(3, distance(np.zeros(1), np.zeros(1)))) == [1, 2, 3]
    assert capsys.readouterr().err == ""  # done within a second


def test_generators_and_seeds():
    rng = np.random.default_rng(4)
    assert seeded(rng) is rng
    assert seeded(4).random() == np.random.default_rng(4).random()
    for bad in (None, -1, 0.5, True, "4"):
        with pytest.raises(ValueError, match="seed"):
            seeded(bad)


def test_numbers_and_symbols():
    assert floats(np.array([Fraction(1, 4)], dtype=object)).tolist() == [0.25]
    with pytest.raises(NotExact, match="symbols"):
        floats(np.array([sympy.Symbol("x")]))


def test_states_that_are_visited():
    model = gallery.left_right_loop()
    stay, leave = deterministic(model, ["left", "left"]), deterministic(model, ["right", "right"])
    assert visited(model, stay).tolist() == [True, False]
    assert visited(model, leave, must_end=True).tolist() == [True, True]
    with pytest.raises(InvalidPolicy, match="'A'"):
        visited(model, stay, must_end=True)
    assert visited(model, stay, "B").tolist() == [True, True]
    assert visited(model, deterministic(model, ["left", "right"]), "B", must_end=True).tolist() == [False, True]

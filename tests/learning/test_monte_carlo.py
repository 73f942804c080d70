"""Monte Carlo against its law in fractions, the exact variances of returns and of importance sampling, and by hand."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.importance_sampling import trajectory_law, weighted_law
from rlexact.exact.moments import action_return_variance, return_variance
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.monte_carlo import (
    every_visit,
    exploring_starts,
    first_visit,
    mc_control,
    off_policy_control,
    off_policy_prediction,
)
from rlexact.learning.schedule import InvalidSchedule
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic, uniform
from tests.learning.laws import HALF, QUARTER, THIRD, Life, assert_lands, law_of, small

LOPSIDED = np.array([[HALF, HALF], [QUARTER, 3 * QUARTER], [1, 0]], dtype=object)
FLAT = LOPSIDED.astype(float)
RUNS = 100


def lived(life, act):
    """One episode: [(s, a, G)]."""
    path, over = [], False
    while not over:
        s, a = life.s, act(life.s)
        r, _, _, over = life.step(a)
        path.append((s, a, r))
    return [(s, a, sum(HALF**k * x[2] for k, x in enumerate(path[i:]))) for i, (s, a, _) in enumerate(path)]


def test_prediction():
    def law(first):
        def program(pick):
            life, returns = Life(small(), pick, 2), [[], [], []]
            for _ in range(2):
                path = lived(life, lambda s: pick(LOPSIDED[s]))
                for i, (s, _, g) in enumerate(path):
                    if not first or s not in [x[0] for x in path[:i]]:
                        returns[s].append(g)
            return tuple(sum(x, start=Fraction(0)) / max(len(x), 1) for x in returns)

        return law_of(program)

    model = small().to_float()
    for learner, first in ((first_visit, True), (every_visit, False)):
        samples = [learner(model, FLAT, 2, seed, episode_steps=2, checkpoints=1).v for seed in range(RUNS)]
        assert_lands(samples, law(first))


def test_first_visits_have_the_exact_standard_error():
    walk = gallery.random_walk()
    got = first_visit(walk, uniform(walk), 1500, 0)
    error = np.sqrt(return_variance(walk, uniform(walk)).astype(float) / got.tables["visits"])
    gap = np.abs(got.v - np.arange(1, 6) / 6)
    assert (gap < 4.5 * error).all()
    assert got.error == gap.max()
    assert got.curve.unit == "episodes"


def test_action_values_have_the_exact_standard_error():
    model = small()
    got = mc_control(model, 1500, 1, policy=LOPSIDED)
    error = np.sqrt(action_return_variance(model, LOPSIDED).astype(float) / np.maximum(got.tables["visits"], 1))
    assert (np.abs(got.q - got.curve.truth) <= 4.5 * error + 1e-12).all()
    assert got.tables["visits"][:2].min() > 100


def test_control():
    """Two episodes, ε = 1/2, first visits, sample means."""

    def program(pick):
        life, q, n = Life(small(), pick, 2), [[Fraction(0)] * 2 for _ in range(2)], [[0, 0], [0, 0]]

        def act(s):
            best = int(q[s][1] > q[s][0])
            return pick([QUARTER + HALF * (best == 0), QUARTER + HALF * (best == 1)])

        for _ in range(2):
            path = lived(life, act)
            for i, (s, a, g) in enumerate(path):
                if (s, a) not in [x[:2] for x in path[:i]]:
                    n[s][a] += 1
                    q[s][a] += (g - q[s][a]) / n[s][a]
        return (*q[0], *q[1])

    model = small().to_float()
    samples = [
        mc_control(model, 2, seed, epsilon=0.5, episode_steps=2, checkpoints=1).q[:2].ravel() for seed in range(RUNS)
    ]
    assert_lands(samples, law_of(program))


def test_exploring_starts():
    def program(pick):
        q, n = [[Fraction(0)] * 2 for _ in range(2)], [[0, 0], [0, 0]]
        for _ in range(2):
            life = Life(small().replace(initial=[HALF, HALF, 0]), pick, 2)
            first = [pick([HALF, HALF])]
            path = lived(life, lambda s, first=first: first.pop() if first else int(q[s][1] > q[s][0]))
            for i, (s, a, g) in enumerate(path):
                if (s, a) not in [x[:2] for x in path[:i]]:
                    n[s][a] += 1
                    q[s][a] += (g - q[s][a]) / n[s][a]
        return (*q[0], *q[1])

    model = small().to_float()
    samples = [exploring_starts(model, 2, seed, episode_steps=2, checkpoints=1).q[:2].ravel() for seed in range(RUNS)]
    assert_lands(samples, law_of(program))
    cut = exploring_starts(deep(), 900, 0, episode_steps=1)
    assert cut.q.tolist() == [[-1, 0], [-1, 4], [-1, 8]]
    assert (np.abs(cut.tables["visits"] - 150) < 4.5 * (900 * 5 / 36) ** 0.5).all()  # six pairs, drawn evenly


def deep():
    """Three decisions in a row, -1 for going on, and leaving pays 0, 4, 8: all returns are certain."""
    table = {}
    for s, reward in enumerate((0, 4, 8)):
        table[s, "go"] = [(Fraction(1), s + 1, -1, False) if s < 2 else (Fraction(1), None, -1, True)]
        table[s, "leave"] = [(Fraction(1), None, reward, True)]
    return MDP.from_outcomes(table, HALF, 0, actions=("go", "leave"))


def test_control_by_hand():
    """Q* of `deep`: last state (-1, 8), middle (-1 + 4, 4), first (-1 + 2, 0)."""
    q = [[1, 0], [3, 4], [-1, 8]]
    assert policy_iteration(deep()).q.tolist() == q
    es = exploring_starts(deep(), 400, 0)
    # once greedy actions are settled, which takes k episodes, the means forget the earlier ones like k / n
    assert es.policy.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert es.q[2].tolist() == [-1, 8]
    assert es.q[1][1] == 4
    off = off_policy_control(deep(), 400, 0)
    assert off.policy.tolist() == es.policy.tolist()
    assert off.q[2].tolist() == [-1, 8]
    assert off.q[1][1] == 4
    assert off.error < 0.5


def test_off_policy_control_weighs_by_what_was_greedy():
    def program(weighted):
        def run(pick):
            life, q = Life(small(), pick, 2), [[Fraction(0)] * 2 for _ in range(2)]
            total, mass, n = {}, {}, {}
            for _ in range(2):
                rho = Fraction(1)
                for s, a, g in reversed(lived(life, lambda s: pick(LOPSIDED[s]))):
                    total[s, a] = total.get((s, a), 0) + rho * g
                    mass[s, a], n[s, a] = mass.get((s, a), 0) + rho, n.get((s, a), 0) + 1
                    below = mass[s, a] if weighted else n[s, a]
                    q[s][a] = total[s, a] / below if below else q[s][a]
                    greedy = int(q[s][1] > q[s][0])
                    rho = rho / LOPSIDED[s, a] if a == greedy else Fraction(0)
            return (*q[0], *q[1])

        return law_of(run)

    model = small().to_float()
    for weighted in (True, False):
        samples = [
            off_policy_control(model, 2, seed, policy=FLAT, weighted=weighted, episode_steps=2, checkpoints=1)
            .q[:2]
            .ravel()
            for seed in range(RUNS)
        ]
        assert_lands(samples, program(weighted))


def test_ordinary_importance_sampling_has_the_exact_law():
    """A model whose episodes last at most two steps, so that the law of two steps is that of an episode."""
    model = deep().replace(initial=1)
    pi, mu = np.array([[HALF, HALF], [3 * QUARTER, QUARTER], [1, 0]]), uniform(model)
    law, n = trajectory_law(model, pi, mu, 2), 3000
    got = off_policy_prediction(model, pi, mu, n, 0, weighted=False)
    assert got.tables["visits"][1] == n
    assert abs(got.v[1] - float(law.mean[1])) < 4.5 * (float(law.variance[1]) / n) ** 0.5
    assert float(law.mean[1]) == got.curve.truth[1]


def test_weighted_importance_sampling_has_the_exact_law():
    model = deep().replace(initial=1)
    pi, mu = np.array([[HALF, HALF], [3 * QUARTER, QUARTER], [2 * THIRD, THIRD]]), uniform(model)
    law, runs = weighted_law(model, pi, mu, 2, 3), 250
    flat, floating = pi.astype(float), model.to_float()
    v = [off_policy_prediction(floating, flat, mu.astype(float), 3, seed, checkpoints=1).v[1] for seed in range(runs)]
    assert abs(np.mean(v) - float(law.mean)) < 4.5 * (float(law.variance) / runs) ** 0.5
    assert abs(float(law.bias)) > 0  # so the mean of many is not V
    many = off_policy_prediction(model, pi, mu, 3000, 1)
    assert many.error < 0.2


def test_refusals():
    loop = gallery.left_right_loop()
    with pytest.raises(InvalidPolicy, match="episode_steps"):
        first_visit(loop, deterministic(loop, ["left", "left"]), 5, 0)
    for learner in (exploring_starts, mc_control):
        with pytest.raises(InvalidPolicy, match="episode_steps"):
            learner(loop, 5, 0, **({} if learner is exploring_starts else {"epsilon": 0}))
    assert mc_control(loop, 5, 0, epsilon=0.5).q.shape == (2, 2)
    never_left, uneven = deterministic(loop, ["right", "right"]), uniform(loop)
    with pytest.raises(InvalidPolicy, match="behaviour"):
        off_policy_prediction(loop, uneven, never_left, 5, 0)
    with pytest.raises(InvalidPolicy, match="behaviour"):
        off_policy_control(loop, 5, 0, policy=never_left)
    for learner in (first_visit, every_visit):
        with pytest.raises(ValueError, match="episodes"):
            learner(loop, uneven, 0, 0)
    for learner in (mc_control, exploring_starts, off_policy_control):
        with pytest.raises(ValueError, match="episodes"):
            learner(loop, 0, 0, **({"episode_steps": 9} if learner is exploring_starts else {}))
    with pytest.raises(InvalidSchedule, match="epsilon"):
        mc_control(loop, 5, 0, epsilon=1.5)

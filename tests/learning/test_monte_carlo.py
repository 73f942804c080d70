"""Monte Carlo against its law in fractions, the exact variances of returns and of importance sampling, and by hand."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.importance_sampling import trajectory_law, weighted_law
from rlexact.exact.moments import action_return_variance, return_variance
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.monte_carlo import (
    CutEpisode,
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


def brief():
    """Random rewards, and two decisions at most."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 1, 1, False), (HALF, None, -2, True)],
            (0, 1): [(QUARTER, None, 6, True), (3 * QUARTER, 1, 3, False)],
            (1, 0): [(1, None, HALF, True)],
            (1, 1): [(HALF, 2, 4, False), (HALF, None, 0, True)],
        },
        HALF,
        initial=[3 * QUARTER, QUARTER, 0],
        terminal=[2],
    )


def test_prediction():
    def program(pick):
        life, returns = Life(brief(), pick), [[], [], []]
        for _ in range(2):
            for s, _, g in lived(life, lambda s: pick(LOPSIDED[s])):
                returns[s].append(g)
        return tuple(sum(x, start=Fraction(0)) / max(len(x), 1) for x in returns)

    model = brief().to_float()
    for learner in (first_visit, every_visit):  # no state is visited twice in an episode
        samples = [learner(model, FLAT, 2, seed, episode_steps=2, checkpoints=1).v for seed in range(RUNS)]
        assert_lands(samples, law_of(program))


def test_first_and_every_visit_to_a_state_that_comes_back():
    """1 a step, ended with chance 1/4: after K steps the returns are K, K - 1, ..., 1."""
    loop = MDP.from_outcomes([[[(3 * QUARTER, 0, 1, False), (QUARTER, None, 1, True)]]], 1, 0)
    pi, lengths = uniform(loop), []
    for seed in range(200):
        first, every = (learner(loop, pi, 1, seed, checkpoints=1) for learner in (first_visit, every_visit))
        lengths.append(first.v[0])
        assert first.tables["visits"].tolist() == [1]
        assert every.tables["visits"].tolist() == [lengths[-1]]
        assert np.isclose(every.v[0], (lengths[-1] + 1) / 2, rtol=1e-13)  # a running mean of up to 50 numbers
    assert abs(np.mean(lengths) - 4) < 4.5 * (12 / 200) ** 0.5  # a geometric law: mean 1/p, variance (1 - p)/p²


def test_a_cut_episode_is_refused():
    """Counted as ended after two steps, the first return of `go` would be -1.5 in place of -1.75."""
    model = deep()
    go = deterministic(model, ["go"] * 3)
    runs = [
        lambda n: first_visit(model, go, 1, 0, episode_steps=n),
        lambda n: every_visit(model, go, 1, 0, episode_steps=n),
        lambda n: mc_control(model, 1, 0, policy=go, episode_steps=n),
        lambda n: exploring_starts(model, 50, 0, episode_steps=2 * n - 3),  # greedy, few last three steps
        lambda n: off_policy_prediction(model, go, uniform(model), 50, 0, episode_steps=n),
        lambda n: off_policy_control(model, 50, 0, episode_steps=n),
    ]
    for run in runs:
        with pytest.raises(CutEpisode, match=r"episode_steps = [12],"):
            run(2)
        run(3)
    assert first_visit(model, go, 1, 0, episode_steps=3).v.tolist() == [-1.75, -1.5, -1]


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
        life, q, n = Life(brief(), pick), [[Fraction(0)] * 2 for _ in range(2)], [[0, 0], [0, 0]]

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

    model = brief().to_float()
    samples = [
        mc_control(model, 2, seed, epsilon=0.5, episode_steps=2, checkpoints=1).q[:2].ravel() for seed in range(RUNS)
    ]
    assert_lands(samples, law_of(program))


def test_exploring_starts():
    def program(pick):
        q, n = [[Fraction(0)] * 2 for _ in range(2)], [[0, 0], [0, 0]]
        for _ in range(2):
            life = Life(brief().replace(initial=[HALF, HALF, 0]), pick)
            first = [pick([HALF, HALF])]
            path = lived(life, lambda s, first=first: first.pop() if first else int(q[s][1] > q[s][0]))
            for i, (s, a, g) in enumerate(path):
                if (s, a) not in [x[:2] for x in path[:i]]:
                    n[s][a] += 1
                    q[s][a] += (g - q[s][a]) / n[s][a]
        return (*q[0], *q[1])

    model = brief().to_float()
    samples = [exploring_starts(model, 2, seed, episode_steps=2, checkpoints=1).q[:2].ravel() for seed in range(RUNS)]
    assert_lands(samples, law_of(program))
    arms = MDP.from_outcomes({(s, a): [(1, None, 3 * s + a, True)] for s in range(3) for a in range(2)}, HALF)
    even = exploring_starts(arms.replace(initial=0), 900, 0)
    assert even.q.tolist() == [[0, 1], [3, 4], [6, 7]]
    assert (np.abs(even.tables["visits"] - 150) < 4.5 * (900 * 5 / 36) ** 0.5).all()  # six pairs, drawn evenly


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
            life, q = Life(brief(), pick), [[Fraction(0)] * 2 for _ in range(2)]
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

    model = brief().to_float()
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

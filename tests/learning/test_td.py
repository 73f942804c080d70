"""TD learning against the law of each algorithm written out in fractions, stationary moments, and batches by hand."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.door import InvalidMDP
from rlexact.exact.expected_updates import episode_moments
from rlexact.exact.return_estimators import lambda_return_law
from rlexact.learning.replay import Transition, transitions
from rlexact.learning.schedule import InvalidSchedule, constant, harmonic
from rlexact.learning.simulate import trajectory
from rlexact.learning.td import batch_mc, batch_td, forward_view, n_step_td, td0, td_lambda
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic, uniform
from tests.learning.laws import HALF, QUARTER, Life, assert_lands, law_of, small

LOPSIDED = np.array([[HALF, HALF], [QUARTER, 3 * QUARTER], [1, 0]], dtype=object)
FLAT = LOPSIDED.astype(float)
RUNS = 100


def followed(steps, update, limit=None):
    """The law of V after so many steps, `update(V, history, s, r, V(s') or 0, over)` changing it after each."""

    def program(pick):
        life, v, history = Life(small(), pick, limit), [Fraction(0)] * 3, []
        for _ in range(steps):
            s = life.s
            r, following, ended, over = life.step(pick(LOPSIDED[s]))
            history.append((s, r))
            update(v, history, s, r, HALF * (0 if ended else v[following]), over)
            if over:
                history.clear()
        return tuple(v)

    return law_of(program)


def sampled(learner, *args, **setting):
    model = small().to_float()
    return [learner(model, FLAT, *args[:1], seed, *args[1:], checkpoints=1, **setting).v for seed in range(RUNS)]


def test_td0():
    def update(v, history, s, r, ahead, over):
        v[s] += QUARTER * (r + ahead - v[s])

    law = followed(3, update)
    assert_lands(sampled(td0, 3, alpha=0.25), law)
    assert_lands(sampled(n_step_td, 3, 1, alpha=0.25), law)
    assert_lands(sampled(td_lambda, 3, 0, alpha=0.25), law)
    assert_lands(sampled(td0, 3, alpha=0.25, episode_steps=2), followed(3, update, limit=2))


def test_td0_by_visits():
    def program(pick):
        life, v, n = Life(small(), pick), [Fraction(0)] * 3, [0] * 3
        for _ in range(3):
            s = life.s
            r, following, ended, _ = life.step(pick(LOPSIDED[s]))
            n[s] += 1
            v[s] += Fraction(1, n[s]) * (r + HALF * (0 if ended else v[following]) - v[s])
        return tuple(v)

    assert_lands(sampled(td0, 3, alpha=harmonic()), law_of(program))


def test_n_step_td():
    def update(v, history, s, r, ahead, over):
        def back(i):
            rewards = [x for _, x in history[i:]]
            g = sum(HALF**k * x for k, x in enumerate(rewards)) + HALF ** (len(rewards) - 1) * ahead
            v[history[i][0]] += QUARTER * (g - v[history[i][0]])

        for i in range(max(len(history) - 2, 0), len(history)):
            if over or len(history) - i == 2:
                back(i)

    for limit in (None, 3):
        assert_lands(sampled(n_step_td, 4, 2, alpha=0.25, episode_steps=limit), followed(4, update, limit))


@pytest.mark.parametrize("replacing", [False, True])
def test_td_lambda(replacing):
    def update(v, history, s, r, ahead, over):
        delta = r + ahead - v[s]
        for x in range(3):
            ages = [len(history) - 1 - i for i, (place, _) in enumerate(history) if place == x]
            trace = sum((Fraction(3, 8) ** age for age in (ages[-1:] if replacing else ages)), start=Fraction(0))
            v[x] += QUARTER * delta * trace  # γλ = 1/2 · 3/4

    samples = sampled(td_lambda, 4, 0.75, alpha=0.25, replacing=replacing, episode_steps=3)
    assert_lands(samples, followed(4, update, limit=3))


def test_forward_view_is_the_mixture_of_n_step_returns():
    lam = Fraction(3, 4)

    def program(pick):
        life, v, path, over = Life(small(), pick, 3), [Fraction(0)] * 3, [], False
        v[0], v[1] = Fraction(1), Fraction(2)
        while not over:
            s = life.s
            r, following, ended, over = life.step(pick(LOPSIDED[s]))
            path.append((s, r, 0 if ended else v[following]))
        moved = list(v)
        for i, (s, _, _) in enumerate(path):
            rest = path[i:]
            g = [
                sum(HALF**k * x[1] for k, x in enumerate(rest[:n])) + HALF**n * rest[n - 1][2]
                for n in range(1, len(rest) + 1)
            ]
            weights = [(1 - lam) * lam**n for n in range(len(g) - 1)] + [lam ** (len(g) - 1)]
            moved[s] += QUARTER * (sum(w * x for w, x in zip(weights, g, strict=True)) - v[s])
        return tuple(moved)

    start = np.array([1.0, 2.0, 0.0])
    assert_lands(sampled(forward_view, 1, 0.75, alpha=0.25, v=start, episode_steps=3), law_of(program))


def test_forward_view_has_the_exact_moments_of_the_lambda_return():
    chain = MDP.chain([[0, HALF, HALF], [0, 0, 1], [0, 0, 0]], [[0, 1, 5], [0, 0, 2], [0, 0, 0]], HALF, 0, terminal=[2])
    guess = np.array([3, -1, 0])
    law = lambda_return_law(chain, uniform(chain), guess, "1/4")
    runs, model = 200, chain.to_float()
    setting = {"alpha": 1, "v": guess.astype(float), "checkpoints": 1}
    g = [forward_view(model, uniform(model), 1, seed, 0.25, **setting).v[0] for seed in range(runs)]
    error = (float(law.variance[0]) / runs) ** 0.5
    assert abs(np.mean(g) - float(law.mean[0])) < 4.5 * error


def test_along_one_episode_the_mean_is_that_of_the_joint_moments():
    chain = MDP.chain([[HALF, HALF], [QUARTER, 3 * QUARTER]], [[4, -2], [1, 0]], HALF, 0)
    T, runs = 8, 300

    def program(pick):
        life, v = Life(chain, pick), [Fraction(0)] * 2
        for _ in range(T):
            s = life.s
            r, following, _, _ = life.step(0)
            v[s] += HALF * (r + HALF * v[following] - v[s])
        return tuple(v)

    law = law_of(program)
    mean = episode_moments(chain, uniform(chain), np.zeros(2, dtype=int), HALF, T).mean
    assert [sum(p * v[x] for v, p in law.items()) for x in range(2)] == mean.tolist()
    model = chain.to_float()
    pi = uniform(model)
    assert_lands([td0(model, pi, T, seed, alpha=0.5, checkpoints=1).v for seed in range(runs)], law)


def test_a_constant_step_size_keeps_the_exact_stationary_noise():
    """One state, reward 1 with probability p: V ← (1 - α(1 - γ)) V + α r, whose cumulants are geometric sums."""
    p, gamma, alpha, steps, runs = 0.25, 0.5, 0.4, 60, 300
    coin = MDP.from_outcomes([[[(p, 0, 1, False), (1 - p, 0, 0, False)]]], gamma, 0)
    a = 1 - alpha * (1 - gamma)
    variance, fourth = p * (1 - p), p * (1 - p) * (1 - 6 * p * (1 - p))  # cumulants of one reward
    mean = p / (1 - gamma) * (1 - a**steps)
    s2, k4 = (alpha**m * k * (1 - a ** (m * steps)) / (1 - a**m) for m, k in ((2, variance), (4, fourth)))
    x = np.array([td0(coin, uniform(coin), steps, seed, alpha=alpha, checkpoints=1).v[0] for seed in range(runs)])
    assert abs(x.mean() - mean) < 4.5 * (s2 / runs) ** 0.5
    assert abs(((x - mean) ** 2).mean() - s2) < 4.5 * ((k4 + 2 * s2**2) / runs) ** 0.5
    assert abs(s2 - alpha**2 * variance / (1 - a**2)) < 1e-10  # stationary up to a^120 < 1e-11


def test_by_hand_on_a_chain():
    """A → B → C → end pays -1, -1, 10 at γ = 9/10: two episodes with α = 1/2."""
    chain = gallery.three_state_chain()
    got = td0(chain, uniform(chain), 6, 0, alpha=0.5)
    expected = [Fraction(-39, 40), Fraction(3, 2), Fraction(15, 2)]
    # first episode: -1/2, -1/2, 5; second: A = -1/2 + (-1 - 9/20 + 1/2)/2, B = -1/2 + (-1 + 9/2 + 1/2)/2, C = 15/2
    assert got.v.tolist() == pytest.approx([float(x) for x in expected], abs=1e-15)
    assert got.tables["visits"].tolist() == [2, 2, 2]
    one = td_lambda(chain, uniform(chain), 3, 0, 1, alpha=0.5).v
    returns = [Fraction(31, 5), Fraction(8), Fraction(10)]
    assert one.tolist() == pytest.approx([float(g / 2) for g in returns], abs=1e-14)
    assert n_step_td(chain, uniform(chain), 3, 0, 9, alpha=1).v.tolist() == pytest.approx([6.2, 8, 10], abs=1e-14)
    assert n_step_td(chain, uniform(chain), 3, 0, 9, alpha=1).error < 1e-14


@pytest.mark.parametrize("convert", [MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_every_world_learns_the_same(convert):
    exact = td_lambda(small(), LOPSIDED, 50, 3, 0.5)
    other = convert(small())
    pi = FLAT if other.world.endswith("float64") else LOPSIDED
    assert td_lambda(other, pi, 50, 3, 0.5).v.tolist() == exact.v.tolist()
    assert exact.v.dtype == float
    assert isinstance(exact.curve.truth[0], Fraction)


def test_states_that_are_not_visited_do_not_count():
    model = gallery.left_right_loop()
    got = td0(model, deterministic(model, ["left", "left"]), 400, 0, alpha=1)
    assert got.v[1] == 0
    assert got.error < 1e-13  # 0.9^400 · 10, and rounding


# -- batches ----------------------------------------------------------------------------------------------------------


def predictor():
    """Sutton and Barto (2018), Example 6.4: A 0 B 0; six times B 1; B 0."""
    model = MDP.from_outcomes(
        [[[(HALF, 1, 0, False), (HALF, None, 0, True)]], [[(HALF, None, 1, True), (HALF, None, 0, True)]]], 1, 0
    )
    one, nothing = Transition(1, 0, Fraction(1), -1, True), Transition(1, 0, Fraction(0), -1, True)
    return model, [[Transition(0, 0, Fraction(0), 1, False), nothing], *[[one]] * 6, [nothing]]


def test_you_are_the_predictor():
    model, episodes = predictor()
    data = [t for lived in episodes for t in lived]
    assert batch_td(model, data).tolist() == [Fraction(3, 4), Fraction(3, 4)]
    assert batch_mc(model, episodes).tolist() == [0, Fraction(3, 4)]


def test_batch_td_is_where_repeated_updates_end():
    model = small()
    rng = np.random.default_rng(2)
    data = [t for _ in range(6) for t in transitions(trajectory(model, LOPSIDED, rng, steps=5))]
    v = np.zeros(3)
    for _ in range(200):
        change = np.zeros(3)
        for t in data:
            ahead = 0 if t.terminated else v[t.following]
            change[t.state] += float(t.reward) + 0.5 * ahead - v[t.state]
        v += change / len(data)
    # each sweep contracts by 1 - (least share of a state) (1 - γ) <= 0.9 here: 0.9^200 < 1e-9
    assert np.abs(v - batch_td(model, data).astype(float)).max() < 1e-7


def test_refusals():
    walk, pi = gallery.random_walk(), uniform(gallery.random_walk())
    for bad in (0, 1.5, -1, constant(2)):
        with pytest.raises(InvalidSchedule, match="alpha"):
            td0(walk, pi, 5, 0, alpha=bad)
    for bad in (-0.1, 1.1):
        with pytest.raises(ValueError, match="lam"):
            td_lambda(walk, pi, 5, 0, bad)
        with pytest.raises(ValueError, match="lam"):
            forward_view(walk, pi, 5, 0, bad)
    for learner, args in ((td0, (0, 0)), (n_step_td, (0, 0, 2)), (n_step_td, (5, 0, 0)), (forward_view, (0, 0, 0.5))):
        with pytest.raises(ValueError, match="whole number"):
            learner(walk, pi, *args)
    loop = gallery.left_right_loop(gamma=1)
    with pytest.raises(InvalidPolicy, match="for ever"):
        td0(loop, deterministic(loop, ["left", "left"]), 5, 0)
    discounted = gallery.left_right_loop()
    with pytest.raises(InvalidPolicy, match="episode_steps"):
        forward_view(discounted, deterministic(discounted, ["left", "left"]), 5, 0, 0.5)
    with pytest.raises(InvalidMDP, match="initial"):
        td0(MDP.chain([[1.0]], gamma=0.5), np.ones((1, 1)), 5, 0)
    with pytest.raises(InvalidMDP, match="terminal"):
        td0(small(), LOPSIDED, 5, 0, start=2)
    with pytest.raises(ValueError, match="transitions"):
        batch_mc(walk, [])
    with pytest.raises(ValueError, match="transitions"):
        batch_td(walk, [])
    with pytest.raises(ValueError, match="cut before its end"):
        batch_mc(walk, [[Transition(2, 0, 0.0, 3, False)]])

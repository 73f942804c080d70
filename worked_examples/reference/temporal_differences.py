# %% [markdown]
# # Temporal differences
#
# *Document `reference`, lines 76 to 89.* Two errors, five updates and the returns between one step and all of them. Every formula is
# right as an update; what it is an update *towards* is what the claims below compute. One needs a condition: the
# λ-return as a series without an end is a mixture for λ < 1 only. At λ = 1 the series is 0.
#
# $R_{t+1}$ is the reward of $(S_t, A_t)$, and the value of a terminal state is 0.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    agrees,
    claim,
    differs,
    equal,
    printed,
    proved,
    shows,
)
from rlexact.exact.expected_updates import expected_q_learning, expected_sarsa, sarsa_update
from rlexact.exact.expected_updates import td_update as expected_td_update
from rlexact.exact.return_estimators import lambda_return_law, n_step_return_law
from rlexact.formulas.gae import lambda_weights, td_errors
from rlexact.formulas.q_learning import q_learning_targets, td_update
from rlexact.formulas.returns import lambda_returns, lambda_returns_forward, n_step_returns
from rlexact.formulas.sarsa import expected_sarsa_targets, sarsa_targets
from rlexact.formulas.td_lambda import accumulating_trace, td_lambda_update
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("reference", "temporal_differences", "Temporal differences")

ONE, HALF, QUARTER, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(9, 10)
GAMMA, ALPHA = sympy.Symbol("gamma", nonnegative=True), sympy.Symbol("alpha", positive=True)

# %% [markdown]
# ## Two errors
#
# An error is judged by where it vanishes. Averaged over a step, $\delta$ is $T^\pi V - V$ in the first form and $T^\pi Q - Q$ in the
# second: zero everywhere for the values of the policy that acts, and for no others. On the random walk of five states
# $V = k/6$. In the second model two states can each be reached from anywhere, arriving in state 1 pays 1 and γ = ½: with fair
# choices $V = 1$, $Q = (\frac12, \frac32)$.


# %%
def vector(*numbers):
    """Numbers as an exact vector."""
    return np.array([Fraction(x) for x in numbers], dtype=object)


def sixths():
    """The values of the random walk with five states: k/6."""
    return vector(*(Fraction(k, 6) for k in range(1, 6)))


def go_where_you_like():
    """Two states; action a leads to state a; arriving in 1 pays 1; γ = 1/2."""
    return MDP([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], [[0, 1], [0, 1]], HALF, initial=[HALF, HALF])


def average(mdp, policy, of):
    """E[of(s, a, r, s', ended)] over the policy's action and the outcome, for each state."""
    return [
        sum(
            policy[s, a] * p * of(s, a, r, 0 if nxt is None else nxt, ended)
            for a in np.flatnonzero(mdp.available[s])
            for p, nxt, r, ended in mdp.outcomes(s, a)
        )
        for s in range(mdp.n_states)
    ]


def mean_error(mdp, v):
    """The mean of δ in every state under the uniform policy."""
    return average(mdp, uniform(mdp), lambda s, a, r, n, ended: td_errors([r], [v[s]], [v[n]], [ended], mdp.gamma)[0])


@claim(
    "reference-047",
    says=r"$\delta_t = R_{t+1} + \gamma V(S_{t+1}) - V(S_t)$",
    verdict=Holds(note="with V = 0 at terminal states; its mean is 0 in every state for V = V^π alone"),
    about=td_errors,
)
def the_error_of_v():
    r, v, after = sympy.symbols("r v v'", real=True)
    yield proved(td_errors([r], [v], [after], None, GAMMA)[0] - (r + GAMMA * after - v), "the formula")
    yield proved(td_errors([r], [v], [after], [True], GAMMA)[0] - (r - v), "at a termination nothing follows")
    walk = gallery.random_walk()
    yield equal(mean_error(walk, sixths()), [0] * 5, "random walk, V = k/6: mean error in each state")
    yield equal(mean_error(walk, 0 * sixths()), [0, 0, 0, 0, HALF], "V = 0: it is T V - V, the chance of the reward")


the_error_of_v


# %%
def next_pair_mean(mdp, policy, q, of):
    """E[of(r, Q(s', a'), Q(s, a), ended)] for every pair, a' drawn from the policy."""
    return [
        [
            sum(
                p * policy[n, b] * of(r, q[n][b], q[s][a], ended)
                for p, n, r, ended in mdp.outcomes(s, a)
                for b in np.flatnonzero(mdp.available[n])
            )
            for a in range(mdp.n_actions)
        ]
        for s in range(mdp.n_states)
    ]


FAIR_Q = [[HALF, Fraction(3, 2)]] * 2


@claim(
    "reference-048",
    says=r"For action values $\delta_t = R_{t+1} + \gamma Q(S_{t+1}, A_{t+1}) - Q(S_t, A_t)$",
    verdict=Holds(note="the error of the policy that A_{t+1} is drawn from: it vanishes on average at Q^π, not at Q*"),
    about=td_errors,
)
def the_error_of_q():
    mdp = go_where_you_like()

    def mean(q):
        return next_pair_mean(
            mdp, uniform(mdp), q, lambda r, after, now, ended: td_errors([r], [now], [after], [ended], HALF)[0]
        )

    yield equal(mean(FAIR_Q), [[0, 0], [0, 0]], "fair choices, Q = (1/2, 3/2): mean error of every pair")
    yield equal(mean([[1, 2]] * 2), [[-QUARTER, -QUARTER]] * 2, "Q* = (1, 2): 1/2 · (1 + 2)/2 - 1 and so on")


the_error_of_q

# %% [markdown]
# ## TD(0)
#
# A new value is the old one plus α times the error; the second line of the document writes the error out. The well-known first
# episode of the random walk, all values ½ and α = 0.1, changes one value only: if it ends on the left, $V(A)$ falls to 0.45.


# %%
@claim(
    "reference-049",
    "reference-050",
    says=r"TD(0): $V(S_t) \leftarrow V(S_t) + \alpha\delta_t = V(S_t) + \alpha[R_{t+1} + \gamma V(S_{t+1}) - V(S_t)]$",
    verdict=Holds(
        note="of a table, where a terminal state keeps its 0; a network's output there is not 0 (reference-093). On average it rests at V^π "
        "alone; to get there every state is updated for ever and α fades"
    ),
    about=(td_update, td_errors, expected_td_update),
)
def td_zero():
    r, v, after = sympy.symbols("r v v'", real=True)
    delta = td_errors([r], [v], [after], None, GAMMA)[0]
    moved = td_update([v, after], 0, r + GAMMA * after, ALPHA)
    yield proved(moved - np.array([v + ALPHA * delta, after]), "towards the target = plus α δ; other states stay")
    episode = [(2, 0, 1, False), (1, 0, 0, False), (0, 0, 0, True)]
    v = [HALF] * 5
    for s, reward, n, ended in episode:
        target = v[s] + td_errors([reward], [v[s]], [v[n]], [ended], ONE)[0]
        v = list(td_update(v, s, target, Fraction(1, 10)))
    yield agrees(printed(["0.45", "0.5", "0.5", "0.5", "0.5"]), v, "C, B, A, end: the published first episode")
    walk = gallery.random_walk()
    rest = expected_td_update(walk, uniform(walk), Fraction(1, 10), vector(1, 1, 1, 1, 1)).fixed_point()
    yield equal(rest, sixths(), "where the mean update rests: k/6")


td_zero

# %% [markdown]
# ## Three targets for Q
#
# In the two-state loop of the document `theory`, $Q^*$ is $(\frac{289}{19}, \frac{300}{19})$ at A and $(\frac{270}{19}, 10)$ at B, and the
# fair policy has $V = (\frac{1700}{139}, \frac{1460}{139})$, from two linear equations.


# %%
BEST = [[Fraction(289, 19), Fraction(300, 19)], [Fraction(270, 19), Fraction(10)]]
FAIR = [[Fraction(1669, 139), Fraction(1731, 139)], [Fraction(1530, 139), Fraction(10)]]


def by_pair(mdp, target):
    """E[target(r, s', ended)] for every pair."""
    return [
        [
            sum(p * target(r, 0 if n is None else n, ended) for p, n, r, ended in mdp.outcomes(s, a))
            for a in range(mdp.n_actions)
        ]
        for s in range(mdp.n_states)
    ]


@claim(
    "reference-051",
    says=r"Q-learning: $Q(S_t, A_t) \leftarrow Q(S_t, A_t) + \alpha[R_{t+1} + \gamma \max_a Q(S_{t+1}, a) - Q(S_t, A_t)]$",
    verdict=Holds(note="the mean target of Q* is Q* itself; nothing is added to the reward of a step that ends"),
    about=(q_learning_targets, td_update),
)
def q_learning_update():
    loop = gallery.left_right_loop()

    def target(r, n, ended):
        return q_learning_targets([r], [BEST[n]], [ended], NINE_TENTHS)[0]

    yield equal(by_pair(loop, target), BEST, "two-state loop: the targets computed from Q*")
    one = q_learning_targets([ONE], [[4, 7]], [False], HALF)[0]
    yield equal(td_update([[0, 2], [4, 7]], (0, 1), one, HALF), [[0, Fraction(13, 4)], [4, 7]], "2 + ½ (1 + ½ · 7 - 2)")


q_learning_update

# %% [markdown]
# **Off-policy or on-policy.** The target with the maximum has no action of the behaviour in it: given $(s, a)$ its mean is the same
# whoever acts, so that all behaviours that try everything share one resting point, $Q^*$. The target with $A_{t+1}$ rests at the action
# values of whoever chose $A_{t+1}$: another policy, another table.


# %%
def shares(*rows):
    """(S, A) probabilities in Fractions."""
    return np.array([[Fraction(x) for x in row] for row in rows], dtype=object)


def two_behaviours():
    """A fair policy, and one that goes right three times out of four."""
    return shares((HALF, HALF), (HALF, HALF)), shares((QUARTER, 3 * QUARTER), (QUARTER, 3 * QUARTER))


@claim(
    "reference-052",
    says="Q-learning takes the maximum instead of following the policy, which makes it off-policy",
    verdict=Holds(
        note="one step, and a behaviour that tries every action; several steps with a maximum at the end are not off-policy"
    ),
    about=(expected_q_learning, expected_sarsa),
)
def the_maximum_is_off_policy():
    loop, everywhere = gallery.left_right_loop(), np.ones((2, 2), dtype=int)
    for behaviour in two_behaviours():
        yield equal(expected_q_learning(loop, BEST, HALF, behaviour), BEST, "pairs as a behaviour draws them: Q* stays")
        followed = expected_sarsa(loop, behaviour, BEST, ONE, everywhere)
        at = [sum(p * q for p, q in zip(behaviour[s], BEST[s], strict=True)) for s in (0, 1)]
        yield equal(
            followed,
            [[1 + NINE_TENTHS * at[0], 3 + NINE_TENTHS * at[1]], [NINE_TENTHS * at[0], 10]],
            "following the behaviour instead: the targets have its mean in the maximum's place",
        )
        yield shows(bool((followed != BEST).any()), "and Q* does not stay")


the_maximum_is_off_policy


# %%
@claim(
    "reference-053",
    says=r"SARSA: $Q(S_t, A_t) \leftarrow Q(S_t, A_t) + \alpha[R_{t+1} + \gamma Q(S_{t+1}, A_{t+1}) - Q(S_t, A_t)]$",
    verdict=Holds(note="after a step that ends there is no A_{t+1}, and nothing is added"),
    about=(sarsa_targets, td_update),
)
def sarsa():
    r, q, after = sympy.symbols("r q q'", real=True)
    target = sarsa_targets([r], [after], [False], GAMMA)[0]
    moved = td_update([[q, 0]], (0, 0), target, ALPHA)[0, 0]
    yield proved(moved - (q + ALPHA * (r + GAMMA * after - q)), "the update")
    mdp = go_where_you_like()
    mean = next_pair_mean(mdp, uniform(mdp), FAIR_Q, lambda r, after, _, ended: sarsa_targets(r, after, ended, HALF))
    yield equal(mean, FAIR_Q, "fair choices: the mean target of Q^π is Q^π")
    yield equal(sarsa_targets([10], [99], [True], NINE_TENTHS), [10], "the step that ends the loop")


sarsa


# %%
@claim(
    "reference-054",
    says="SARSA uses the action that the policy really takes next, which makes it on-policy",
    verdict=Holds(
        note="its resting point is Q of the policy that draws A_{t+1}; for Q* that policy must become greedy"
    ),
    about=(sarsa_update, expected_sarsa),
)
def the_next_action_is_on_policy():
    loop, everywhere = gallery.left_right_loop(), np.ones((2, 2), dtype=int)
    fair, rightward = two_behaviours()
    rest = [sarsa_update(loop, p, HALF, everywhere).fixed_point().reshape(2, 2) for p in (fair, rightward)]
    yield equal(rest[0], FAIR, "fair choices, from two linear equations")
    v = [sum(rightward[s] * rest[1][s]) for s in (0, 1)]
    by_hand = [[1 + NINE_TENTHS * v[0], 3 + NINE_TENTHS * v[1]], [NINE_TENTHS * v[0], 10]]
    yield equal(rest[1], by_hand, "right three times out of four: the Bellman equations of that policy")
    yield shows(bool((rest[0] != rest[1]).any()), "another policy, another table")
    yield equal(expected_sarsa(loop, fair, FAIR, HALF, fair), FAIR, "pairs drawn unevenly: the table stays")


the_next_action_is_on_policy

# %% [markdown]
# Expected SARSA averages over $A_{t+1}$ instead of drawing it. The mean target is that of SARSA and the noise of the draw is gone. With π
# greedy the average is the maximum; with π the behaviour it is on-policy; π may also be a third policy.


# %%
@claim(
    "reference-055",
    says=r"Expected SARSA: $Q(S_t, A_t) \leftarrow Q(S_t, A_t) + "
    r"\alpha[R_{t+1} + \gamma \sum_a \pi(a \mid S_{t+1}) Q(S_{t+1}, a) - Q(S_t, A_t)]$",
    verdict=Holds(note="SARSA's mean without the noise of A_{t+1}; Q-learning if π is greedy for Q"),
    about=(expected_sarsa_targets, sarsa_targets, q_learning_targets),
)
def expected_sarsa_update():
    q, pi = [Fraction(4), Fraction(8)], [3 * QUARTER, QUARTER]
    found = expected_sarsa_targets([ONE], [q], [pi], [False], HALF)[0]
    yield equal(found, Fraction(7, 2), "1 + ½ (¾ · 4 + ¼ · 8)")
    drawn = [sarsa_targets([ONE], [x], [False], HALF)[0] for x in q]
    mean = sum(p * y for p, y in zip(pi, drawn, strict=True))
    yield equal([drawn, mean], [[3, 5], found], "SARSA draws 3 or 5, on average the same")
    yield equal(sum(p * (y - mean) ** 2 for p, y in zip(pi, drawn, strict=True)), 3 * QUARTER, "its variance; here 0")
    greedy = expected_sarsa_targets([ONE], [q], [[0, 1]], [False], HALF)
    yield equal([greedy, q_learning_targets([ONE], [q], [False], HALF)], [[5], [5]], "π greedy: Q-learning's target")
    loop = gallery.left_right_loop()
    fair = by_pair(
        loop, lambda r, n, ended: expected_sarsa_targets([r], [FAIR[n]], [[HALF, HALF]], [ended], NINE_TENTHS)[0]
    )
    yield equal(fair, FAIR, "two-state loop, fair choices: the targets computed from Q^π")


expected_sarsa_update

# %% [markdown]
# ## Several steps
#
# The n-step return looks at $n$ rewards and leaves the rest to $V$. With the right $V$ its mean is right for every $n$; if $V$ is off by
# the same $c$ everywhere in a stream without end, the return is off by $\gamma^n c$. An episode that ends sooner has no
# $S_{t+n}$: then the return is all there is, which the formula says too, if a terminal state is worth 0 for ever.


# %%
def steady(gamma):
    """One state that pays 1 for ever: V = 1/(1 - γ)."""
    return MDP.chain([[1]], [1], gamma, 0)


@claim(
    "reference-056",
    says=r"$G_t^{(n)} = R_{t+1} + \gamma R_{t+2} + \dots + \gamma^{n-1} R_{t+n} + \gamma^n V(S_{t+n})$",
    verdict=Holds(note="with V = 0 and rewards 0 after the end of an episode"),
    about=(n_step_returns, n_step_return_law),
)
def the_n_step_return():
    r, v = sympy.symbols("r:4", real=True), sympy.symbols("v:5", real=True)
    for n in (1, 2, 3):
        found = n_step_returns(r, v[1:], None, None, GAMMA, n)
        yield proved(found[0] - sum(GAMMA**k * r[k] for k in range(n)) - GAMMA**n * v[n], f"n = {n}, on free numbers")
    ended = n_step_returns(r, v[1:], [False, True, False, False], None, GAMMA, 3)[0]
    yield proved(ended - r[0] - GAMMA * r[1], "n = 3, an episode of two steps")
    walk = gallery.random_walk()
    biases = [n_step_return_law(walk, uniform(walk), sixths(), n).bias for n in (1, 2, 3)]
    yield equal(biases, [[0] * 5] * 3, "random walk, V = k/6: no bias")
    off = [n_step_return_law(steady(HALF), uniform(steady(HALF)), vector(3), n).bias[0] for n in (1, 2, 3)]
    yield equal(off, [HALF, QUARTER, QUARTER / 2], "a stream of 1s, γ = ½, V one too large: bias γⁿ")


the_n_step_return


# %%
@claim(
    "reference-057",
    says=r"n-step TD: $V(S_t) \leftarrow V(S_t) + \alpha[G_t^{(n)} - V(S_t)]$",
    verdict=Holds(note="on-policy: n rewards of another policy need ratios; made n steps late"),
    about=(n_step_returns, td_update),
)
def n_step_td():
    episode, v = [0, 0, 1], sixths()
    after = [v[3], v[4], 0]
    target = n_step_returns(episode, after, [False, False, True], None, ONE, 2)
    yield equal(target, [Fraction(5, 6), 1, 1], "states 3, 4, 5 and out with 1: the two-step returns by hand")
    moved = td_update(v, 2, target[0], HALF)
    yield equal(moved[2], Fraction(2, 3), "1/2 + ½ (5/6 - 1/2)")

    def two_steps(first, second):
        """E over a coin at each step, from the state of value v: the mean of the update from state 3 of five."""
        after = v[2 + first], v[2 + first + second]
        return td_update(v, 2, n_step_returns([0, 0], after, None, None, ONE, 2)[0], HALF)[2]

    paths = [two_steps(a, b) for a in (-1, 1) for b in (-1, 1)]
    yield equal(sum(paths) / 4, HALF, "from the middle, all four paths of two steps: on average V = k/6 stays")


n_step_td

# %% [markdown]
# ## The λ-return
#
# The weights $(1-\lambda)\lambda^{n-1}$ add up to 1 for λ < 1. In an episode with $N$ steps left all $G^{(n)}$ with $n \ge N$ are the return, and
# their weights add up to $\lambda^{N-1}$; a program that stops the series at $N$ must give them to the last term. At λ = 1 every weight is 0 and so is
# the series; the return, which TD(1) uses, is the limit λ → 1 of the mixture and not its value there.


# %%
def series(lam, returns, terms):
    """(1 - λ) Σ_{n ≤ terms} λ^{n-1} G^{(n)}, the last of the given returns repeated."""
    return (1 - lam) * sum(lam ** (n - 1) * returns[min(n, len(returns)) - 1] for n in range(1, terms + 1))


def example(lam):
    """G^λ of an episode: rewards 1, 2, 8, γ = 1/2, values 2 and 4 on the way: n-step returns 2, 3, 4."""
    return lambda_returns([ONE, 2 * ONE, 8 * ONE], [2, 4, 0], [False, False, True], None, HALF, lam)[0]


@claim(
    "reference-058",
    says=r"$G_t^\lambda = (1 - \lambda) \sum_{n=1}^\infty \lambda^{n-1} G_t^{(n)}$",
    verdict=Conditional(given="λ < 1; at λ = 1 each term is 0, and the return itself is meant"),
    about=(lambda_returns, lambda_returns_forward, lambda_weights, lambda_return_law),
)
def the_lambda_return():
    r, v, lam = sympy.symbols("r:3", real=True), sympy.symbols("v:4", real=True), sympy.Symbol("lambda", positive=True)
    ended = [False, False, True]
    first, second = r[0] + GAMMA * v[1], r[0] + GAMMA * r[1] + GAMMA**2 * v[2]
    whole = r[0] + GAMMA * r[1] + GAMMA**2 * r[2]
    summed = (1 - lam) * (first + lam * second) + lam**2 * whole
    for form in (lambda_returns, lambda_returns_forward):
        found = form(r, v[1:], ended, None, GAMMA, lam)[0]
        yield proved(found - summed, "three steps to the end, λ < 1: the tail of the series is λ² G")
    yield equal(lambda_weights(HALF, 4), [HALF, QUARTER, QUARTER / 2, QUARTER / 2], "weights at λ = ½, four steps left")
    model = steady(HALF)
    stream = lambda_return_law(model, uniform(model), vector(3), Fraction(1, 3)).mean[0]
    yield equal(
        stream, 2 + Fraction(2, 3) * HALF / (1 - Fraction(1, 6)), "without end: 2 + γ(1 - λ)/(1 - γλ), V too large by 1"
    )
    yield equal(series(HALF, [2, 3, 4], 60), example(HALF) - 4 * HALF**60, "n-step returns 2, 3, 4, λ = ½: 60 terms")
    yield equal(example(ONE), 4, "the library at λ = 1: the return")
    yield differs(series(ONE, [2, 3, 4], 60), example(ONE), "the series at λ = 1")


the_lambda_return


# %%
@figure
def who_gets_which_share():
    """Weights of the n-step returns with ten steps left. The last bar is the whole return: all n from 10 on."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots(figsize=(6.4, 3.0))
    n = np.arange(1, 11)
    for k, lam in enumerate((0.5, 0.9, 0.95)):
        ax.bar(n + 0.27 * (k - 1), lambda_weights(lam, 10), 0.25, color=COLOURS[k], label=rf"$\lambda$ = {lam}")
    ax.set(xlabel="n", ylabel="weight", xticks=n)
    ax.legend()
    return fig


who_gets_which_share

# %% [markdown]
# The update towards $G^\lambda$ needs the future. With $V$ held fixed over an episode it is the same, summed, as the update with a trace, which
# needs only the past. The episode below visits state 0 twice; rewards, values, γ, λ and α are free.


# %%
@claim(
    "reference-059",
    says=r"TD(λ), forward view: $V(S_t) \leftarrow V(S_t) + \alpha[G_t^\lambda - V(S_t)]$",
    verdict=Holds(note="summed over an episode, V held fixed, it is the backward view; while V moves they differ"),
    about=(lambda_returns, accumulating_trace, td_lambda_update),
)
def the_forward_view():
    states, lam = (0, 1, 0, 2), sympy.Symbol("lambda", nonnegative=True)
    r, v = sympy.symbols("r:4", real=True), sympy.symbols("v:3", real=True)
    now, after, ended = [v[s] for s in states], [v[s] for s in states[1:]] + [0], [False, False, False, True]
    target = lambda_returns(r, after, ended, None, GAMMA, lam)
    forward = [sum(ALPHA * (target[t] - v[s]) for t, s in enumerate(states) if s == k) for k in range(3)]
    trace, moved = np.zeros(3, dtype=int), np.array(v) * 0
    for t, s in enumerate(states):
        trace = accumulating_trace(trace, [int(s == k) for k in range(3)], GAMMA, lam)
        delta = r[t] + GAMMA * after[t] - now[t]
        moved = td_lambda_update(moved, trace, delta, ALPHA)
    yield proved(np.array(forward) - moved, "the sum of the forward updates = the sum of the backward ones")
    yield proved(target.tolist()[3] - r[3], "before the end: the last reward")
    walk = gallery.random_walk()
    law = lambda_return_law(walk, uniform(walk), sixths(), Fraction(1, 3))
    yield equal(law.bias, [0] * 5, "random walk, V = k/6: on average nothing moves")


the_forward_view

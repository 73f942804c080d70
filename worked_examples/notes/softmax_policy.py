# %% [markdown]
# # The softmax policy, and what REINFORCE cannot do
#
# *Document `notes`, lines 322 to 408.* Scores become probabilities, and the score function is a score's gradient less the mean of all. The derivation is right in
# each of its ten lines. The intuition after it is not: probabilities must balance, scores need not. Of the limitations, what is said
# of single samples holds where returns have the right sign, and is not true of the mean.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    below,
    claim,
    close,
    differs,
    equal,
    proved,
    same_as,
    sourced,
)
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.gradient_estimators import reward_to_go, reward_to_go_law
from rlexact.exact.parameterisation import log_linear_at, softmax_at
from rlexact.exact.paths import paths
from rlexact.formulas.categorical import linear_softmax_score, log_softmax, softmax, softmax_policy_score
from rlexact.learning import reinforce as learner
from rlexact.learning.episodes import side_by_side
from rlexact.learning.replay import Transition
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("notes", "softmax_policy", "The softmax policy, and what REINFORCE cannot do")

ONE, HALF, THIRD, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
scores = sympy.symbols("h1:4", real=True)
theta = sympy.symbols("theta1:3", real=True)
H = [sympy.Function(f"h{b}", real=True)(*theta) for b in (1, 2, 3)]  # any three scores of two parameters
Z = sum(sympy.exp(h) for h in H)

# %% [markdown]
# ## From scores to probabilities


# %%
@claim(
    "notes-045",
    says=r"$\pi_\theta(a \mid s) = e^{h_\theta(s, a)} / \sum_b e^{h_\theta(s, b)}$",
    verdict=Holds(
        note="positive and of sum 1 for any real scores; a number added to all scores of a state changes nothing"
    ),
    about=softmax,
)
def a_valid_distribution():
    pi = softmax(scores)
    yield proved(pi - [sympy.exp(h) / sum(map(sympy.exp, scores)) for h in scores], "three actions")
    yield proved(sum(pi) - 1, "they add up to 1")
    c = sympy.Symbol("c", real=True)
    yield proved(softmax([h + c for h in scores]) - pi, "c added to each score: the same")
    logs = [sympy.log(k) for k in (1, 2, 5)]
    yield equal(softmax(logs), [Fraction(1, 8), QUARTER, Fraction(5, 8)], "scores log 1, log 2, log 5")


a_valid_distribution

# %% [markdown]
# *Higher score, higher probability*: among the actions of one state, yes, for the odds of two actions are $e^{h_a - h_b}$; and raising one score
# alone raises its probability, by $\pi_a(1 - \pi_a)$. Between states scores cannot be compared.


# %%
@claim(
    "notes-046",
    says="Higher score, higher probability; scores may be any real numbers",
    verdict=Holds(note="within one state; the same score in two states may mean different probabilities"),
    about=softmax,
)
def higher_is_more_likely():
    pi = softmax(scores)
    odds = pi[0] / pi[1] - sympy.exp(scores[0] - scores[1])
    yield proved(odds, "π(a)/π(b) = e^(h_a - h_b), above 1 exactly where h_a > h_b")
    rise = [sympy.diff(p, scores[0]) for p in pi]
    stated = [pi[0] * (1 - pi[0]), -pi[0] * pi[1], -pi[0] * pi[2]]
    yield proved([r - e for r, e in zip(rise, stated, strict=True)], "h_a alone raised: its own up, the others' down")
    here, there = softmax([sympy.log(2), 0]), softmax([sympy.log(2), sympy.log(6)])
    yield equal([here[0], there[0]], [2 * THIRD, QUARTER], "score log 2 beside a 0, and beside a log 6")


higher_is_more_likely

# %% [markdown]
# ## The derivation
#
# Three scores, any functions of two parameters. $\log \pi_a = h_a - \log Z$ with $Z = \sum_b e^{h_b}$; the rest is the derivative of $\log Z$.


# %%
def slopes(f):
    return np.array([sympy.diff(f, t) for t in theta], dtype=object)


@claim(
    "notes-047",
    "notes-048",
    says=r"$\log \pi_a = h_a - \log \sum_b e^{h_b}$, so $\nabla \log \pi_a = \nabla h_a - \nabla \log \sum_b e^{h_b}$",
    verdict=Holds(),
    about=log_softmax,
)
def a_score_less_log_z():
    found = log_softmax(H)
    yield proved([f - (h - sympy.log(Z)) for f, h in zip(found, H, strict=True)], "log π = h - log Z")
    yield proved([sympy.exp(f) - sympy.exp(h) / Z for f, h in zip(found, H, strict=True)], "its exponential: line 329")
    for k, (f, h) in enumerate(zip(found, H, strict=True), start=1):
        yield proved(slopes(f) - (slopes(h) - slopes(sympy.log(Z))), f"∇ log π(a{k})")


a_score_less_log_z


# %%
@claim(
    "notes-049",
    "notes-050",
    "notes-051",
    says=r"$\nabla \log Z = \frac1Z \nabla Z$, $\nabla Z = \sum_b e^{h_b} \nabla h_b$, so $\nabla \log Z = \sum_b \frac{e^{h_b}}{Z} \nabla h_b$",
    verdict=Holds(note="Z > 0, and finitely many actions"),
    about=log_softmax,
)
def the_chain_rule():
    log_z = H[0] - log_softmax(H)[0]
    log_slope, z_slope = slopes(log_z), slopes(sympy.exp(log_z))
    yield proved(log_slope - z_slope / Z, "log Z read off the library: ∇ log Z = ∇Z / Z")
    yield proved(z_slope - sum(sympy.exp(h) * slopes(h) for h in H), "∇Z = Σ e^h ∇h")
    yield proved(log_slope - sum(sympy.exp(h) / Z * slopes(h) for h in H), "together")


the_chain_rule


# %%
@claim(
    "notes-052",
    "notes-053",
    says=r"$e^{h_b} / \sum_{b'} e^{h_{b'}} = \pi_b$, so $\nabla \log \sum_b e^{h_b} = \sum_b \pi_b \nabla h_b$",
    verdict=Holds(),
    about=softmax,
)
def the_mean_slope():
    pi = softmax(H)
    yield proved([p - sympy.exp(h) / Z for p, h in zip(pi, H, strict=True)], "the fraction is the probability")
    yield proved(slopes(sympy.log(Z)) - sum(p * slopes(h) for p, h in zip(pi, H, strict=True)), "∇ log Z = E_π ∇h")


the_mean_slope


# %%
@claim(
    "notes-054",
    says=r"$\nabla \log \pi(a \mid s) = \nabla h(s, a) - \sum_b \pi(b \mid s) \nabla h(s, b)$",
    verdict=Holds(note="its mean under π is 0, which is why baselines are free"),
    about=softmax_policy_score,
)
def the_score():
    rows = [slopes(h) for h in H]
    found = [softmax_policy_score(H, rows, a) for a in range(3)]
    for a in range(3):
        derived = slopes(sympy.log(sympy.exp(H[a]) / Z))
        yield proved(found[a] - derived, f"action {a + 1}, against SymPy's derivative of log π")
    yield proved(sum(sympy.exp(h) / Z * f for h, f in zip(H, found, strict=True)), "E_π of it")


the_score

# %% [markdown]
# ## What must be balanced
#
# The text says that a raised score must be balanced by lowered scores of the others, to preserve normalisation. Two lines of its own
# contradict that: scores are unconstrained (335), and the denominator normalises whatever they are. Raise one score by log 2 and
# touch no other: $(\frac13, \frac13, \frac13)$ becomes $(\frac12, \frac14, \frac14)$. Nor need the gradient lower the others. With one parameter and
# features $(2, 1, -3)$ a step up $\log \pi(a_1)$ raises the second score as well. What does balance are the *probabilities*: their changes add up to 0.
# (Nor does this gradient by itself move mass toward *better* actions. It raises whichever action was drawn, and its mean is 0; only the return that
# multiplies it tells better from worse.)


# %%
@claim(
    "notes-055",
    says="To preserve normalisation, a raised score of the chosen action must be balanced by lowered scores of the others",
    verdict=Wrong(
        because="the denominator normalises any scores; the others may stay, or rise, as they do with shared features",
        instead="probabilities balance: Σ_b ∇π_b = 0. With one free logit for each action the gradient, e_a - π, happens to lower "
        "the others",
    ),
    about=(softmax, linear_softmax_score),
)
def what_must_balance():
    raised = softmax([sympy.log(2), sympy.Integer(0), sympy.Integer(0)])
    yield equal(raised, [HALF, QUARTER, QUARTER], "scores (0, 0, 0), the first raised by log 2, the others untouched")
    yield against(bool(sum(raised) == 1), "normalised all the same")
    features = sympy.Matrix([2, 1, -3])
    step = linear_softmax_score([theta[0]], [[f] for f in features], 0)[0].subs(theta[0], 0)
    yield equal(step, 2, "scores θ·(2, 1, -3) at θ = 0: slope of log π(a1), 2 less the mean 0")
    yield against(bool(step * features[1] > 0), "along it the second score rises too, by 2 for each unit of step")
    pi = softmax(H)
    yield proved(sum(slopes(p) for p in pi), "Σ_b ∇π_b = 0, any scores")
    each = [linear_softmax_score([theta[0]], [[f] for f in features], a)[0] for a in range(3)]
    chances = softmax([theta[0] * f for f in features])
    yield proved(
        sum(p * e for p, e in zip(chances, each, strict=True)), "without a return to weigh it, the mean step is 0"
    )


what_must_balance


# %%
@figure
def one_score_raised():
    """One score raised from 0 to 3, the two others left at 0. Their probabilities fall all the same; the sum stays 1."""
    from matplotlib import pyplot as plt

    h = np.linspace(0, 3, 100)
    chosen = np.exp(h) / (np.exp(h) + 2)
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    ax.plot(h, chosen, color=COLOURS[0], label="chosen action")
    ax.plot(h, (1 - chosen) / 2, color=COLOURS[1], label="each of the others, score 0")
    ax.plot(h, np.ones_like(h), ":", color=COLOURS[6], label="sum of all three")
    ax.set(xlabel="score of the chosen action", ylabel="probability", ylim=(0, 1.08))
    ax.legend(loc="center right")
    return fig


one_score_raised

# %% [markdown]
# ## The algorithm (two pictures that our copy lost)
#
# The usual box: for each step of an episode, $G_t$ is the discounted return from $t$ and $\theta \leftarrow \theta + \alpha \gamma^t G_t \nabla \log \pi(a_t \mid s_t)$. We judge it on two
# decisions. At home one takes 1, or goes out with probability $x$; outside one finds 4 with probability $y$, or nothing. $J = (1 - x) + 4\gamma xy$. With free
# logits $\partial x/\partial\theta = x(1 - x)$.


# %%
X, Y, GAMMA = HALF, THIRD, HALF


def errand():
    """Home: 1 and done, or out for nothing. Outside: nothing, or 4. γ = 1/2."""
    table = {
        (0, 0): [(ONE, None, 1, True)],
        (0, 1): [(ONE, 1, 0, False)],
        (1, 0): [(ONE, None, 0, True)],
        (1, 1): [(ONE, None, 4, True)],
    }
    return MDP.from_outcomes(table, GAMMA, 0)


def policy():
    return [[1 - X, X], [1 - Y, Y]]


def slope_by_hand():
    """∂J/∂θ for the logits of action 1: x(1 - x)(4γy - 1) at home, y(1 - y) 4γx outside; action 0 has the opposite."""
    home, out = X * (1 - X) * (4 * GAMMA * Y - 1), Y * (1 - Y) * 4 * GAMMA * X
    return [[-home, home], [-out, out]]


def as_episode(mdp, path):
    """A path as the learner would have lived it."""
    last = len(path.actions) - 1
    return [
        Transition(s, a, float(r), -1 if t == last else path.states[t + 1], t == last)
        for t, (s, a, r) in enumerate(zip(path.states, path.actions, path.rewards, strict=False))
    ]


def learners_mean(weighting):
    """The mean of what the library's learner adds to θ, over every episode, for α = 1 and one episode a batch."""
    mdp, pi = errand(), np.array(policy(), dtype=float)
    mean = np.zeros((2, 2))
    for path in paths(mdp, policy(), 2):
        lived = side_by_side([as_episode(mdp, path)])
        weights, c = weighting(lived, float(GAMMA))
        credit = learner.Credit(lived, pi, weights, c, np.zeros(2))
        mean += float(path.probability) * learner.reinforce_gradient(credit, learner.no_baseline)
    return mean


@claim(
    "notes-x03",
    says=r"REINFORCE: for each step $t$ of an episode, $\theta \leftarrow \theta + \alpha \gamma^t G_t \nabla \log \pi(a_t \mid s_t)$, $G_t$ discounted; its mean at "
    "fixed θ is α times the gradient",
    verdict=Holds(
        note="the box is missing in our copy; the standard form is checked. Without γ^t the mean is another direction; and where θ "
        "moves within the episode the mean is right to first order in α"
    ),
    about=(reward_to_go, policy_gradient, learner.reinforce_gradient),
)
def reinforce_in_the_mean():
    mdp = errand()
    family = softmax_at(mdp, policy())
    law = estimator_law(mdp, family.policy, 2, reward_to_go(mdp, family))
    yield equal(law.mean, slope_by_hand(), "Σ γ^t G_t ∇ log π over every episode: ∂J/∂θ by hand")
    yield equal(policy_gradient(mdp, family), slope_by_hand(), "and by visits and action values")
    float_slope = np.array(slope_by_hand(), dtype=float)
    yield close(
        learners_mean(learner.reward_to_go), float_slope, 1e-14, "sums of four floats below 1", "the library's learner"
    )
    dropped = estimator_law(mdp, family.policy, 2, reward_to_go(mdp, family, discount=1)).mean
    yield equal(
        dropped[1], [e / GAMMA for e in slope_by_hand()[1]], "without γ^t the second decision counts 1/γ too much"
    )
    yield equal(dropped[0], slope_by_hand()[0], "and the first as it should")
    yield sourced("Sutton and Barto (2018), §13.3, the box of REINFORCE with its γ^t")


reinforce_in_the_mean

# %% [markdown]
# With preferences linear in features, $h = \theta^\top \phi(s, a)$, the score is $\phi(s, a) - \sum_b \pi(b \mid s)\, \phi(s, b)$.


# %%
@claim(
    "notes-x04",
    says=r"The same with $h = \theta^\top \phi(s, a)$: $\nabla \log \pi(a \mid s) = \phi(s, a) - \sum_b \pi(b \mid s)\, \phi(s, b)$",
    verdict=Holds(note="the box is missing in our copy; the standard form is checked"),
    about=(linear_softmax_score, log_linear_at),
)
def linear_preferences():
    phi = [list(sympy.symbols(f"phi{b}_1:3", real=True)) for b in (1, 2, 3)]
    h = [sum(f * t for f, t in zip(row, theta, strict=True)) for row in phi]
    odds = [sympy.exp(e) for e in h]
    for a in range(3):
        derived = [sympy.diff(sympy.log(odds[a] / sum(odds)), t) for t in theta]
        yield proved(linear_softmax_score(theta, phi, a) - derived, f"action {a + 1}, features as symbols")
    mdp, features = errand(), np.array([[[1, 0], [0, 2]], [[3, 1], [0, -1]]])
    family = log_linear_at(mdp, policy(), features.tolist())
    home, out = [QUARTER, -HALF], [2 * THIRD, Fraction(4, 9)]
    by_hand = [[home, [-e for e in home]], [out, [-e for e in out]]]
    yield equal(family.jacobian, np.array(by_hand), "∇π = π (φ - Σ π φ): numbers at x = 1/2, y = 1/3, by hand")
    law = estimator_law(mdp, family.policy, 2, reward_to_go(mdp, family))
    chained = np.einsum("sa,sak->k", np.array(slope_by_hand(), dtype=object), features)
    yield equal(law.mean, chained, "mean of REINFORCE in θ: Σ ∂J/∂h(s, a) φ(s, a), by hand")
    yield sourced("Sutton and Barto (2018), (13.9)")


linear_preferences

# %% [markdown]
# ## Limitations
#
# The update of line 398 is that of line 234 for one trajectory, with the undiscounted $G_t$ of line 225.

# %%
one_trajectory = same_as(
    "notes-056",
    of="notes-031",
    says=r"$\nabla U \approx \sum_t \nabla \log \pi_\theta(a_t \mid s_t)\, G_t$, the case $N = 1$",
)
one_trajectory

# %% [markdown]
# **State quality and action quality.** In a state where all returns are negative each *sample* suppresses the action that was taken, the best one as
# well. So far the text is right. But what decides is the sign, not how bad the state is: with returns of 1 and 3 all are reinforced,
# however much better other states are. And the *mean* of the update does distinguish. It is $\pi(a) A(a)$, in which the
# quality of the state cancels: the best action rises, in a bad state and in a good one.


# %%
def pushes(rewards):
    """What a sample of each arm adds to its own logit, and the mean change of the logits, at even odds."""
    arms = gallery.bandit([Fraction(r) for r in rewards])
    family = softmax_at(arms, uniform(arms))
    estimate = reward_to_go(arms, family)
    each = [estimate(path)[0, path.actions[0]] for path in paths(arms, family.policy, 1)]
    return each, list(estimator_law(arms, family.policy, 1, estimate).mean[0])


@claim(
    "notes-057",
    says="In a bad state all actions are suppressed, even the best; in a good state all are reinforced; REINFORCE cannot tell state "
    "quality from action quality",
    verdict=Conditional(
        given="single samples are meant, and all returns of the bad state are negative, all of the good one positive; the mean "
        "update is π(a) A(a)"
    ),
    about=(pushes, reward_to_go),
)
def samples_and_their_mean():
    yield equal(
        pushes([-3, -1])[0], [Fraction(-3, 2), -HALF], "a bad state, -3 and -1: each sample suppresses its action"
    )
    yield equal(pushes([1, 3])[0], [HALF, Fraction(3, 2)], "a good state, 1 and 3: each sample reinforces")
    means = [pushes(pair)[1] for pair in ([-3, -1], [1, 3], [101, 103])]
    yield equal(means, [[-HALF, HALF]] * 3, "the mean update, π(a) A(a), is the same in all")
    yield against(means[0][1] > 0, "in the bad state the best action is reinforced in the mean")
    yield against(
        pushes([1, 3])[0][0] > 0, "beside a state that pays 101 and 103 this one is bad, and yet nothing is suppressed"
    )


samples_and_their_mean

# %% [markdown]
# **Why it is noisy.** If states differ much and actions little, most of the variance is the states' part of $G_t$, and subtracting $V(s)$ removes it: below from
# $\frac{20001}{16}$ to $\frac{1}{16}$. But that is one cause among others. Where rewards themselves are random a single decision in a single state is noisy too: no
# trajectory, no credit to assign, nothing for the baseline to remove.


# %%
def rooms(good, bad):
    """Start in either room; its two arms pay as given and end the episode."""
    table = {(s, a): [(ONE, None, r, True)] for s, pair in enumerate((good, bad)) for a, r in enumerate(pair)}
    return MDP.from_outcomes(table, ONE, [HALF, HALF])


def noisy_arms(spread):
    """One state: arms of mean 1 and -1, give or take `spread` by a coin."""
    law = [[(HALF, None, m + spread, True), (HALF, None, m - spread, True)] for m in (1, -1)]
    return MDP.from_outcomes([law], ONE, 0)


def noise(mdp, baseline=None):
    """Variance of the one-sample gradient in the first logit, at even odds."""
    return reward_to_go_law(mdp, softmax_at(mdp, uniform(mdp)), 1, baseline).variance[0, 0]


@claim(
    "notes-058",
    says="REINFORCE is noisy because its signal is the return of a whole trajectory, which mixes state and action quality",
    verdict=Conditional(
        given="the values of states differ by more than the advantages; random rewards make noise as well, without any trajectory"
    ),
    about=(noise, reward_to_go_law),
)
def where_the_noise_comes_from():
    mdp = rooms((101, 99), (-99, -101))
    yield equal(noise(mdp), Fraction(20001, 16), "rooms worth 100 and -100, arms ±1: E X² - (E X)² = 10001/8 - 1/16")
    quiet = noise(mdp, [Fraction(100), Fraction(-100)])
    yield equal(quiet, Fraction(1, 16), "with V(s) subtracted: 1/8 - 1/16")
    yield below(quiet, noise(mdp), "almost all of it was the room")
    loud = [noise(noisy_arms(10), b) for b in (None, [Fraction(0)])]
    yield equal(
        loud, [25, 25], "one state, one step, V = 0, rewards ±1 ± 10: 101/4 - 1/4, with the baseline and without"
    )
    yield differs(loud[1], noise(noisy_arms(0)), "the noise is that of the rewards: without it there is none")


where_the_noise_comes_from

# %% [markdown]
# # Quieter gradients: reward-to-go and baselines
#
# *Document `theory`, lines 97 to 126.* One sampled path gives an unbiased estimate of the policy gradient, and a noisy one.
# Two remedies leave the mean alone: drop the rewards that came before an action, and subtract a number that depends on the
# state. The proofs of this are right. What the text adds about *noise* needs care: each remedy can also make it worse, and
# no baseline changes where the gradient points.

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
    agrees,
    below,
    claim,
    close,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    refuses,
    shows,
)
from rlexact.door import InvalidPolicy
from rlexact.exact.baselines import optimal_baseline
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import advantage, policy_value
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.gradient_estimators import reinforce, reward_to_go, reward_to_go_law, score_table, tail_return
from rlexact.exact.parameterisation import log_linear_at, softmax_at, with_jacobian
from rlexact.exact.paths import expect, paths
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("theory", "variance_reduction", "Quieter gradients: reward-to-go and baselines")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)

# %% [markdown]
# ## How many samples?
#
# The document's estimates lie between -500 and 500 and average 2. The ratio of variance to squared mean is then at most
# $(500^2 - 2^2)/2^2 = 62499$, when every estimate sits at one of the two ends. If only a quarter of them do, and the rest
# are 2, it is a quarter of that.


# %%
def noise(at_the_ends):
    """The law of an estimate with mean 2: at ±500 with this probability, at 2 otherwise."""
    up, down = at_the_ends * Fraction(251, 500), at_the_ends * Fraction(249, 500)
    drawn = [(up, None, 500, True), (down, None, -500, True), (1 - at_the_ends, None, 2, True)]
    model = MDP.from_outcomes([[[outcome for outcome in drawn if outcome[0]]]], ONE, 0)
    return estimator_law(model, None, 1, lambda path: path.rewards[0])


def needed(law):
    """Variance over squared mean: samples after which the standard deviation of the average equals the mean."""
    return law.variance / law.mean**2


@claim(
    "theory-107",
    says="Estimates between -500 and 500 with mean 2 need variance / mean² ≈ 62,500 samples",
    verdict=Conditional(
        given="every estimate is at an end of the range; it is the most that this range allows, not typical"
    ),
    about=(noise, needed),
)
def sixty_two_thousand():
    yield equal(printed("62500"), Fraction(500**2, 2**2), "the arithmetic takes the standard deviation to be 500")
    yield agrees(printed("62500", digits=3), needed(noise(ONE)), "all at the ends")
    yield equal(needed(noise(ONE)), 62499, "exactly")
    yield differs(printed("62500", digits=3), needed(noise(QUARTER)), "a quarter at the ends")
    yield equal(needed(noise(QUARTER)), Fraction(62499, 4))


sixty_two_thousand

# %% [markdown]
# Is that many enough? An average of $N$ has variance $\sigma^2/N$. At $N = \sigma^2/\mu^2$ the standard deviation of the
# average *is* the mean: the error is as large as what is measured, and about one average in six has the wrong sign. An error
# of 10 % takes a hundred times as many.


# %%
@claim(
    "theory-108",
    says="That many samples, variance / mean², make the estimate reliable",
    verdict=Wrong(
        because="the average then has a standard deviation equal to its mean, and the wrong sign one time in six",
        instead="for a relative error ε it takes variance / (ε² mean²): about 6.25 million for 10 %",
    ),
    about=noise,
)
def not_reliable_yet():
    from scipy.stats import binom

    average = noise(ONE).averaged(62499)
    yield equal([average.mean, average.variance], [2, 4], "mean and variance of the average: a spread of 2 around 2")
    yield against(average.variance >= average.mean**2, "the error is as large as the mean")
    wrong_sign = binom.cdf(31249, 62499, 251 / 500)
    yield close(wrong_sign, 0.158, 1e-3, "SciPy's binomial law, shown to three digits", "chance of the wrong sign")
    better = noise(ONE).averaged(6249900)
    yield equal(better.variance / better.mean**2, Fraction(1, 100), "with 6,249,900 samples: 10 %")


not_reliable_yet


# %%
@claim(
    "theory-106",
    says="The plain policy gradient is so noisy that a useful signal takes millions of samples",
    verdict=Conditional(
        given="the spread is hundreds of times the mean, as in the example of the next line, and 10 % is wanted"
    ),
    about=(noise, reinforce),
)
def millions():
    yield shows(100 * needed(noise(ONE)) > 10**6, "10 % in the document's own example: millions")
    arms = gallery.two_armed_bandit()
    family = softmax_at(arms, uniform(arms))
    law = estimator_law(arms, family.policy, 1, reinforce(arms, family))
    yield equal([law.mean[0, 1], law.variance[0, 1]], [HALF, 1], "the arms 1 and 3 of line 94: estimates 3/2 and -1/2")
    yield exceeds(10**6, 100 * law.variance[0, 1] / law.mean[0, 1] ** 2, "there 400 samples give 10 %")


millions

# %% [markdown]
# ## The past
#
# An action cannot change what was paid before it. Six states in a row, two arms in each; two policies differ in the last.


# %%
def six_rounds():
    """States 0 … 5 in a row; action a pays a in each, and the last step ends."""
    outcomes = {(k, a): [(ONE, k + 1 if k < 5 else None, a, k == 5)] for k in range(6) for a in (0, 1)}
    return MDP.from_outcomes(outcomes, ONE, 0)


def chances(model, policy, steps, part):
    """The law of part(path), as a sorted list of (value, probability)."""
    found = {}
    for path in paths(model, policy, steps):
        found[part(path)] = found.get(part(path), 0) + path.probability
    return sorted(found.items())


@claim(
    "theory-109",
    says=r"The action $a_5$ cannot affect $r_0, …, r_4$",
    verdict=Holds(note="it may well be correlated with them, when the state carries their trace"),
    about=chances,
)
def no_effect_on_the_past():
    model = six_rounds()
    first, second = uniform(model), uniform(model)
    second[5] = [0, 1]
    laws = [chances(model, policy, 6, lambda path: path.rewards[:5]) for policy in (first, second)]
    yield equal(*laws, "law of the first five rewards under two choices of a_5")
    yield equal([chance for _, chance in laws[0]], [Fraction(1, 32)] * 32, "32 equally likely sequences")
    yield equal(chances(model, second, 6, lambda path: path.rewards[5]), [(1, 1)], "the last reward does change")


no_effect_on_the_past

# %% [markdown]
# Below, action 0 stays and action 1 swaps two states; rewards and probabilities are symbols, the horizon is three steps. With
# a table of logits, $\partial\pi/\partial\theta = \pi(1-\pi)$, so that $p(1-p)\,\partial V/\partial p$, with $V$ summed over
# paths, is the gradient by a route that knows no score. $\gamma = 1$ throughout, as in the document's sums.


# %%
T = 3


def symbolic_swapper():
    """(model, softmax family, the chances p and q of swapping in states 0 and 1)."""
    p, q = sympy.symbols("p q", positive=True)
    r = sympy.symbols("r:4", real=True)
    model = MDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [r[:2], r[2:]], sympy.Integer(1), initial=0)
    return model, softmax_at(model, np.array([[1 - p, p], [1 - q, q]])), (p, q)


def gradient_by_differentiating(model, family, chance):
    """∂V/∂θ for the logits of swapping, from the sum over paths as a polynomial in p and q."""
    value = expect(model, family.policy, T, lambda path: sum(path.rewards))
    return [x * (1 - x) * sympy.diff(value, x) for x in chance]


@claim(
    "theory-111",
    "theory-112",
    says=r"Term $t$ of the gradient is $\nabla\log\pi(a_t|s_t) \sum_{t'=0}^{T-1} r_{t'}$; the sum is a past and a future part",
    verdict=Holds(note="γ = 1 and T steps; with a discount r_{t'} carries γ^{t'}"),
    about=(reinforce, tail_return),
)
def the_full_term():
    model, family, chance = symbolic_swapper()
    mean = expect(model, family.policy, T, reinforce(model, family))
    yield proved(mean[:, 1] - gradient_by_differentiating(model, family, chance), "the terms add up to ∇V")
    gaps = [
        tail_return(model, path, 0) - sum(path.rewards[:t]) - tail_return(model, path, t)
        for path in paths(model, family.policy, T)
        for t in range(T)
    ]
    yield proved(gaps, "total = past + future on every path, at every t")


the_full_term


# %%
@claim(
    "theory-113",
    says=r"$E[\nabla\log\pi(a_t|s_t)\, r_{t'}] = 0$ for $t' < t$",
    verdict=Holds(),
    about=score_table,
)
def the_past_has_mean_zero():
    model, family, _ = symbolic_swapper()
    score = score_table(model, family)
    for t, before in ((1, 0), (2, 0), (2, 1)):
        met = expect(model, family.policy, T, lambda w, t=t, u=before: w.rewards[u] * score[w.states[t], w.actions[t]])
        yield proved(met, f"t = {t}, t' = {before}")


the_past_has_mean_zero

# %% [markdown]
# **The reason given** is conditional independence: once $s_t$ is known, $a_t$ is drawn from $\pi(\cdot|s_t)$ alone. The
# words "given $s_t$" carry the weight. In the model below the first payment leaves a trace in the next state, the next state
# decides the next action, and so the action *is* correlated with the past reward.


# %%
def traces():
    """State 0: action a pays a, and leads to 1 or 2. There, two arms end the episode, paying 0 or 4, and 6 or 2."""
    outcomes = {
        (0, 0): [(QUARTER, 1, 0, False), (3 * QUARTER, 2, 0, False)],
        (0, 1): [(Fraction(2, 3), 1, 1, False), (Fraction(1, 3), 2, 1, False)],
        **{(s, a): [(ONE, None, paid, True)] for s, a, paid in ((1, 0, 0), (1, 1, 4), (2, 0, 6), (2, 1, 2))},
    }
    model = MDP.from_outcomes(outcomes, ONE, 0)
    third = Fraction(1, 3)
    return model, np.array([[HALF, HALF], [2 * third, third], [QUARTER, 3 * QUARTER]], dtype=object)


def chance(model, policy, event):
    """The probability of an event of two steps."""
    return expect(model, policy, 2, lambda path: int(event(path)))


@claim(
    "theory-114",
    says=r"Earlier rewards are determined by $s_{t'}, a_{t'}$, which are independent of $a_t$ given $s_t$",
    verdict=Holds(note="given s_t, for a policy that looks at s_t only; without the condition they are dependent"),
    about=chance,
)
def independent_given_the_state():
    model, policy = traces()

    def pr(r=None, s=None, a=None):
        """Pr(r_0 = r, s_1 = s, a_1 = a), of those that are given."""

        def seen(w):
            found = (w.rewards[0], w.states[1], w.actions[1])
            return all(x in (None, y) for x, y in zip((r, s, a), found, strict=True))

        return chance(model, policy, seen)

    yield equal([pr(r=1, s=1), pr(r=0, s=1)], [Fraction(1, 3), Fraction(1, 8)], "Pr(r_0, s_1 = 1), by hand")
    gaps = [pr(r, s, a) - pr(r, s) * policy[s, a] for r in (0, 1) for s in (1, 2) for a in (0, 1)]
    yield equal(gaps, [0] * 8, "Pr(r_0, s_1, a_1) = Pr(r_0, s_1) π(a_1 | s_1)")
    apart = pr(r=1, a=1) - pr(r=1) * pr(a=1)
    yield equal(apart, Fraction(-25, 576), "Cov(r_0, a_1) without the condition: not 0")


independent_given_the_state


# %%
def prepaid(c):
    """A step that pays c, then two arms, 10 and 12, evenly: (model, softmax family)."""
    outcomes = {
        (0, 0): [(ONE, 1, c, False)],
        (1, 0): [(ONE, None, 10, True)],
        (1, 1): [(ONE, None, 12, True)],
    }
    model = MDP.from_outcomes(outcomes, ONE, 0)
    return model, softmax_at(model, uniform(model))


@claim(
    "theory-116",
    "theory-117",
    says=r"(lost display) $\nabla V = E[\sum_t \nabla\log\pi(a_t|s_t)\, \hat G_t]$ with $\hat G_t = \sum_{t' \ge t} r_{t'}$, "
    "without bias",
    verdict=Holds(note="γ = 1; with a discount, Ĝ_t = Σ γ^{t'-t} r_{t'} and a factor γ^t in front of each term"),
    about=(reward_to_go, reward_to_go_law),
)
def reward_to_go_is_unbiased():
    model, family, chance = symbolic_swapper()
    hand = gradient_by_differentiating(model, family, chance)
    mean = expect(model, family.policy, T, reward_to_go(model, family))
    yield proved(mean[:, 1] - hand, "over paths, every reward and probability free")
    model, family = prepaid(Fraction(10))
    yield equal(reward_to_go_law(model, family, 2).mean[1], [-HALF, HALF], "two arms, 10 and 12, after a first payment")


reward_to_go_is_unbiased

# %% [markdown]
# ## Is the past *pure noise*?
#
# It adds nothing to the mean, but dropping it need not make the estimate quieter. Let a first step pay $c$ and a second
# choose between 10 and 12. The total reward is then $c$ + 10 or $c$ + 12, and the past acts as a baseline, for better or
# worse: total variance $(c + 11)^2/2$ against $121/2$ for the reward-to-go. At $c = -11$ the "noise" cancels all the noise.


# %%
def total_variance(model, family, steps, estimator):
    """The trace of the covariance of one estimate."""
    return np.trace(estimator_law(model, family.policy, steps, estimator).covariance)


@claim(
    "theory-110",
    says="Rewards from before the action add pure noise",
    verdict=Conditional(given="they do not offset what follows; where they do, dropping them raises the variance"),
    about=(total_variance, reward_to_go_law),
)
def the_past_as_noise():
    for c, total in ((10, Fraction(441, 2)), (-11, Fraction(0))):
        model, family = prepaid(Fraction(c))
        yield equal(total_variance(model, family, 2, reinforce(model, family)), total, f"total reward, c = {c}")
        yield equal(np.trace(reward_to_go_law(model, family, 2).covariance), Fraction(121, 2), f"reward-to-go, c = {c}")
    model, family = prepaid(Fraction(-11))
    to_go, full = (total_variance(model, family, 2, f(model, family)) for f in (reward_to_go, reinforce))
    yield exceeds(to_go, full, "variance with and without dropping the past, c = -11")


the_past_as_noise


# %%
@figure
def dropping_the_past():
    """Variance of one estimate against the first payment: between -22 and 0 it is the reward-to-go that is noisier."""
    from matplotlib import pyplot as plt

    c = np.linspace(-30, 10, 201)
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    ax.plot(c, (c + 11) ** 2 / 2, color=COLOURS[0], label="total reward")
    ax.axhline(60.5, color=COLOURS[1], label="reward-to-go")
    ax.axvspan(-22, 0, color="0.93", zorder=0)
    ax.set(xlabel="first payment $c$", ylabel="total variance", ylim=(-8, 240))
    ax.legend(loc="upper center")
    return fig


dropping_the_past

# %% [markdown]
# ## A baseline: four positive rewards
#
# Arms that pay 10, 12, 11 and 13. The update after pulling an arm raises its own log-probability by its reward: all four
# get pushed up when *they* are drawn. In the mean the arms below average go down all the same, because the updates for the
# other arms push them down: probabilities share a sum.


# %%
def four_arms():
    model = gallery.bandit((10, 12, 11, 13))
    return model, softmax_at(model, uniform(model))


def own_pushes(model, estimator):
    """What a sampled update adds to the logit of the very action drawn, one for each action."""
    policy = uniform(model)
    found = {path.actions[0]: estimator(path)[0, path.actions[0]] for path in paths(model, policy, 1)}
    return [found[a] for a in sorted(found)]


@claim(
    "theory-118",
    says="With rewards 10, 12, 11, 13 every action is reinforced, some more; less the average, only the good ones are",
    verdict=Conditional(
        given="it speaks of single samples; the mean update lowers 10 and 11, with a baseline and without"
    ),
    about=(own_pushes, policy_gradient),
)
def all_reinforced():
    model, family = four_arms()
    plain = reward_to_go(model, family)
    yield equal(own_pushes(model, plain), [Fraction(3, 4) * r for r in (10, 12, 11, 13)], "single samples: all up")
    less = own_pushes(model, plain.minus(lambda t, s: Fraction(23, 2)))
    yield equal(less, [Fraction(3, 8) * x for x in (-3, 1, -1, 3)], "less 11.5: two up, two down")
    gradient = policy_gradient(model, family)[0]
    yield equal(gradient, [Fraction(x, 8) for x in (-3, 1, -1, 3)], "the mean update, π(a) A(a)")
    yield against(bool((gradient[[0, 2]] < 0).all()), "without any baseline, 10 and 11 go down in the mean")


all_reinforced


# %%
@claim(
    "theory-119", says="The average of 10, 12, 11, 13 is about 11.5", verdict=Holds(note="exactly"), about=policy_value
)
def the_average():
    model, _ = four_arms()
    yield agrees(printed("11.5"), policy_value(model, uniform(model))[0], "value of pulling evenly")


the_average

# %% [markdown]
# ## No bias: the proof
#
# Three arms with free odds $w_a = e^{\theta_a}$, so that $\partial/\partial\theta_j = w_j\,\partial/\partial w_j$: each line of
# the proof against plain differentiation.


# %%
def free_arms():
    """(model, family, odds): three arms, odds positive symbols."""
    w = sympy.symbols("w:3", positive=True)
    model = gallery.bandit((0, 0, 0)).to_symbolic()
    return model, softmax_at(model, np.array([[x / sum(w) for x in w]])), w


@claim(
    "theory-115",
    "theory-121",
    "theory-122",
    "theory-123",
    "theory-124",
    "theory-125",
    "theory-126",
    says=r"$E_{a\sim\pi}[\nabla\log\pi(a|s)\, b(s)] = b(s) \sum_a \pi \nabla\pi/\pi = b(s) \nabla \sum_a \pi = b(s) \nabla 1 = 0$",
    verdict=Holds(
        note="where every action that θ can move has positive probability, as under a softmax: π is divided by"
    ),
    about=(score_table, softmax_at),
)
def a_baseline_has_mean_zero():
    model, family, w = free_arms()
    score, b = score_table(model, family)[0, :, 0], sympy.Symbol("b", real=True)
    pi = np.array([x / sum(w) for x in w])
    by_hand = [[x * sympy.diff(f, x) for x in w] for f in pi]
    logs = [[x * sympy.diff(sympy.log(f), x) for x in w] for f in pi]
    yield proved(score - np.array(logs), "the scores are derivatives of log π")
    weighted = pi[:, None] * score
    yield proved((b * weighted).sum(axis=0) - b * weighted.sum(axis=0), "Steps 1, 2: b leaves the sum over actions")
    yield proved(weighted - np.array(by_hand), "Step 3: π ∇log π = ∇π")
    yield proved(family.jacobian[0, :, 0] - np.array(by_hand), "(the same from the library's ∂π)")
    yield proved([x * sympy.diff(sum(pi), x) for x in w], "sum and gradient change places: ∇ Σ π = ∇ 1 = 0")
    yield proved(weighted.sum(axis=0), "so the mean of the score, and of b times it, is 0")
    arms = gallery.two_armed_bandit()
    edge = with_jacobian(arms, np.array([[1, 0]]), np.array([[[-1], [1]]]))
    yield refuses(InvalidPolicy, lambda: score_table(arms, edge), "π(a) = 0 with ∂π(a) ≠ 0 has no score")


a_baseline_has_mean_zero


# %%
@claim(
    "theory-120",
    says=r"(lost display) $\nabla V = E[\sum_t \nabla\log\pi(a_t|s_t)\,(\hat G_t - b(s_t))]$",
    verdict=Holds(note="γ = 1, as for the reward-to-go"),
    about=reward_to_go,
)
def the_gradient_with_a_baseline():
    model, family, chance = symbolic_swapper()
    b = sympy.symbols("b:2", real=True)
    mean = expect(model, family.policy, T, reward_to_go(model, family).minus(lambda t, s: b[s]))
    yield proved(mean[:, 1] - gradient_by_differentiating(model, family, chance), "three steps, one free b per state")


the_gradient_with_a_baseline

# %% [markdown]
# **For free?** Free of bias. The variance is a parabola in $b$, at the document's fork (8, 2, 5, chosen evenly)
# $2 + \frac{2}{3}(b - 5)^2$: a baseline far off costs more than none. And "only on the state" is needed: subtract each
# action's own reward, and nothing of the gradient is left.


# %%
def fork_law(b, policy=None):
    """The law of one estimate at the fork, less b; b may be a symbol."""
    model = gallery.fork() if isinstance(b, (int, Fraction)) else gallery.fork().to_symbolic()
    family = softmax_at(model, uniform(model) if policy is None else policy)
    return estimator_law(model, family.policy, 1, reward_to_go(model, family).minus(lambda t, s: b))


@claim(
    "theory-127",
    says="Any baseline that depends on the state only can be subtracted for free",
    verdict=Holds(note="free of bias; the variance may rise without limit, and an action-dependent baseline does bias"),
    about=(fork_law, reward_to_go),
)
def free_of_bias():
    b = sympy.Symbol("b", real=True)
    law = fork_law(b)
    yield proved(law.mean[0] - np.array([1, -1, 0]), "mean at the fork, whatever b")
    yield proved(np.trace(law.covariance) - 2 - sympy.Rational(2, 3) * (b - 5) ** 2, "total variance: 2 + 2 (b - 5)²/3")
    model = gallery.fork()
    family = softmax_at(model, uniform(model))
    plain = reward_to_go(model, family)
    own = expect(model, family.policy, 1, lambda path: plain.minus(lambda t, s: model.r[s, path.actions[t]])(path))
    yield equal(own[0], [0, 0, 0], "less each action's own reward: no gradient left")
    yield equal(expect(model, family.policy, 1, plain)[0], [1, -1, 0], "where there should be one")


free_of_bias

# %% [markdown]
# ## The value as baseline, at a fork in a maze
#
# The usual choice is $V^\pi$. What is left, $\hat G_t - V^\pi(s_t)$, has the advantage as its mean given state and action.


# %%
@claim(
    "theory-128",
    says=r"With $b = V^\pi$, actions are weighted by $\hat G_t - V^\pi(s_t)$, an estimate of the advantage",
    verdict=Holds(note="unbiased given (s_t, a_t); that V^π is the usual choice is a matter of record"),
    about=(advantage, policy_value),
)
def return_less_value():
    model, policy = traces()
    values = policy_value(model, policy)
    yield equal(values[0], Fraction(197, 72), "V(0), by hand: the mean of 31/12 and 26/9")
    mean = [
        estimator_law(
            model, policy, 2, lambda p: tail_return(model, p, 0) - values[0], given=lambda p, a=a: p.actions[0] == a
        ).mean
        for a in (0, 1)
    ]
    yield equal(mean, [Fraction(-11, 72), Fraction(11, 72)], "E[G - V | a], over paths")
    yield equal(advantage(model, policy)[0], [Fraction(-11, 72), Fraction(11, 72)], "A, by solving")


return_less_value


# %%
@claim(
    "theory-129",
    says="At the fork, worth 8, 2 or 5, the value is 5",
    verdict=Holds(note="for choosing evenly, or whenever left and right are equally likely; the text does not say"),
    about=policy_value,
)
def value_of_the_fork():
    fork = gallery.fork()
    yield equal(policy_value(fork, uniform(fork)), [printed("5")])
    third = Fraction(1, 3)
    yield equal(policy_value(fork, [[third / 2, third / 2, 2 * third]]), [5], "1/6, 1/6, 2/3 will do as well")


value_of_the_fork


# %%
@claim(
    "theory-130",
    "theory-131",
    "theory-132",
    says="Advantages at the fork: left 8 - 5 = +3, reinforce; right 2 - 5 = -3, discourage; straight 5 - 5 = 0, leave alone",
    verdict=Holds(note="in general 8 would be one sample; here it is what left always pays"),
    about=(advantage, own_pushes),
)
def three_ways():
    fork = gallery.fork()
    yield equal(advantage(fork, uniform(fork))[0], printed(["3", "-3", "0"]), "left, right, straight")
    pushes = own_pushes(fork, reward_to_go(fork, softmax_at(fork, uniform(fork))).minus(lambda t, s: 5))
    yield equal(pushes, [2, -2, 0], "the sampled update of each one's own logit, 2/3 of that")


three_ways

# %% [markdown]
# ### Does the baseline turn the gradient the right way?
#
# It already pointed there. Without a baseline each sample pushes its own action up, but the mean is $(1, -1, 0)$ with $b = 5$
# and with $b = 0$. What changes is the noise around it: total variance 2 instead of 56/3.


# %%
@claim(
    "theory-133",
    says="Without the baseline all three are reinforced; the baseline makes the gradient point in the right direction",
    verdict=Wrong(
        because="the expected update is the same vector, (1, -1, 0), with and without",
        instead="the baseline lowers the variance, here from 56/3 to 2, and leaves the direction alone",
    ),
    about=fork_law,
)
def the_direction():
    without, centred = fork_law(0), fork_law(5)
    yield equal(without.mean[0], [1, -1, 0], "mean update with no baseline")
    yield against(bool((without.mean == centred.mean).all()), "the direction does not depend on the baseline")
    yield against(bool(without.mean[0, 1] < 0), "right goes down without a baseline too")
    yield equal(
        [np.trace(law.covariance) for law in (without, centred)], [Fraction(56, 3), 2], "variance without, with"
    )


the_direction

# %% [markdown]
# ## The best baseline
#
# The display is lost; the answer it promises is $b^*(s) = E[|\nabla\log\pi|^2\, \hat G \mid s] / E[|\nabla\log\pi|^2 \mid s]$: a
# weighted mean, in which rare actions count for more. It is not $V^\pi$, and $V^\pi$ can be worse than nothing: with arms 1
# and 0 pulled with probabilities 9/10 and 1/10, $V = 9/10$ and $b^* = 1/10$, which is much nearer to 0.
#
# For one decision the formula is exact. Over several it minimises each term by itself; if parameters are shared between
# states, terms of different times are correlated and the best baseline of the sum is another one.


# %%
def here(t, s):
    """Baselines that look at the state."""
    return s


def weighted_return(model, family, estimator, steps):
    """E[|score|² G | s] / E[|score|² | s], each state, over paths."""
    scores = score_table(model, family)
    size = (scores * scores).reshape(model.n_states, model.n_actions, -1).sum(axis=2)

    def sums(path):
        both = np.array([[0 * ONE] * model.n_states] * 2)
        for t, (s, a) in enumerate(zip(path.states, path.actions, strict=False)):
            both[:, s] += size[s, a] * np.array([estimator.weight(path, t), 1])
        return both

    top, weight = expect(model, family.policy, steps, sums)
    return top / weight


def shared_parameter():
    """A first action decides between arms 0, 1 and arms 2, 4; one parameter moves all three choices, at 1/2."""
    paid = {(1, 0): 0, (1, 1): 1, (2, 0): 2, (2, 1): 4}
    moves = {(0, a): [(ONE, 1 + a, 0, False)] for a in (0, 1)}
    model = MDP.from_outcomes(moves | {pair: [(ONE, None, r, True)] for pair, r in paid.items()}, ONE, 0)
    return model, log_linear_at(model, uniform(model), np.array([[[0], [1]]] * 3))


@claim(
    "theory-134",
    says=r"(lost display) The variance is least for $b^*(s) = E[|\nabla\log\pi|^2 \hat G] / E[|\nabla\log\pi|^2]$",
    verdict=Conditional(
        given="one decision, or one term of the sum at a time; terms that share parameters are correlated"
    ),
    about=(optimal_baseline, weighted_return, total_variance),
)
def the_best_baseline():
    fork = gallery.fork()
    family = softmax_at(fork, np.array([[HALF, QUARTER, QUARTER]]))
    plain = reward_to_go(fork, family)
    yield equal(
        weighted_return(fork, family, plain, 1), [Fraction(97, 20)], "at the fork with 1/2, 1/4, 1/4, by the formula"
    )
    yield equal(optimal_baseline(fork, plain, 1, here)(0, 0), Fraction(97, 20), "the least-squares best; V is 23/4")
    arms = gallery.bandit((1, 0))
    family = softmax_at(arms, np.array([[Fraction(9, 10), Fraction(1, 10)]]))
    plain = reward_to_go(arms, family)
    noise_of = [total_variance(arms, family, 1, plain.minus(lambda t, s, b=b: Fraction(b, 10))) for b in (0, 9, 1)]
    yield equal(
        noise_of, [Fraction(9, 5000), Fraction(72, 625), 0], "b = 0, V = 9/10, b* = 1/10: V is 64 times worse than 0"
    )
    model, family = shared_parameter()
    plain = reward_to_go(model, family)
    textbook, best = weighted_return(model, family, plain, 2), optimal_baseline(model, plain, 2, here)
    yield equal(textbook, [Fraction(7, 4), HALF, 3], "shared parameter: the formula")
    found = [best(0, s) for s in range(3)]
    yield differs(textbook, found, "but the best are others")
    both = [total_variance(model, family, 2, plain.minus(f)) for f in (lambda t, s: textbook[s], best)]
    yield exceeds(*both, "and their variance is smaller")


the_best_baseline


# %%
@figure
def where_the_value_misleads():
    """One estimate's variance against the baseline. Even odds: V is best. Odds 9 to 1: V is worse than nothing."""
    from matplotlib import pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.0))
    cases = (
        ("even fork: 8, 2, 5", 5, 5, 2 / 3, 2, (0, 10)),
        ("arms 1 and 0, odds 9 to 1", 0.9, 0.1, 0.18, 0, (-0.2, 1.1)),
    )
    for ax, (title, v, best, steep, least, span) in zip(axes, cases, strict=True):
        b = np.linspace(*span, 101)
        ax.plot(b, least + steep * (b - best) ** 2, color=COLOURS[0])
        marks = {"none": (0, COLOURS[6]), "$V$": (v, COLOURS[1]), "$b^*$": (best, COLOURS[2])}
        for k, (name, (x, colour)) in enumerate(marks.items()):
            ax.plot(
                x, least + steep * (x - best) ** 2, "o", ms=9 - 3 * (k == 2), color=colour, label=name, zorder=3 + k
            )
        ax.set(title=title, xlabel="baseline $b$", ylabel="total variance")
        ax.legend()
    return fig


where_the_value_misleads

# %% [markdown]
# ## 100 and 102
#
# Two trajectories, equally likely. The estimate of either logit's derivative is about ±50, its mean 1/2. With $b = 101$ the
# weights are -1 and +1, both samples give the same update, and no noise at all is left: a happy consequence of even odds.


# %%
def hundred(b):
    """(the weights of the two trajectories, the law of one estimate), less b."""
    model = gallery.bandit((100, 102))
    family = softmax_at(model, uniform(model))
    estimator = reward_to_go(model, family).minus(lambda t, s: b)
    weights = [estimator.weight(path, 0) for path in sorted(paths(model, family.policy, 1), key=lambda p: p.actions)]
    return weights, estimator_law(model, family.policy, 1, estimator)


@claim(
    "theory-135",
    says="Rewards 100 and 102: the gradient raises the probability of both, the second slightly more; terrible signal-to-noise",
    verdict=Conditional(
        given="a single sample is meant: two probabilities cannot both rise, and the mean lowers the first"
    ),
    about=hundred,
)
def without_the_baseline():
    weights, law = hundred(0)
    yield equal(weights, printed(["100", "102"]), "each sample pushes its own trajectory up")
    yield equal(law.mean[0], [-HALF, HALF], "the mean update")
    yield against(bool(law.mean[0, 0] < 0), "the first trajectory's logit goes down in the mean")
    yield equal(law.variance[0] / law.mean[0] ** 2, [101**2] * 2, "signal-to-noise ratio 1/101")


without_the_baseline


# %%
@claim(
    "theory-136",
    says="With b = 101 the weights are -1 and +1, and the signal is purely relative",
    verdict=Holds(note="at even odds the noise is gone altogether"),
    about=hundred,
)
def with_the_baseline():
    weights, law = hundred(101)
    yield equal(weights, printed(["-1", "1"]))
    yield equal(law.mean[0], [-HALF, HALF], "the same mean")
    yield equal(law.variance[0], [0, 0], "variance")


with_the_baseline

# %% [markdown]
# ## What remains: waiting for the end
#
# $\hat G_t$ is known only once the last reward is. In the model above, the same first step is followed by returns that differ;
# and one trajectory may be lucky.


# %%
@claim(
    "theory-137",
    says="The reward-to-go is a Monte Carlo estimate: no learning before the episode ends, and chance enters with every step",
    verdict=Holds(
        note="for trajectories that can be lucky or unlucky, as the line says and notes-088 does not: else there is no variance either"
    ),
    about=estimator_law,
)
def waiting():
    model, policy = traces()

    def after(s):
        """The law of G_0 once a_0 = 1 has paid 1 and led to s."""
        return estimator_law(
            model, policy, 2, lambda p: sum(p.rewards), given=lambda p: (p.actions[0], p.states[1]) == (1, s)
        )

    yield equal([after(1).variance, after(2).variance], [Fraction(32, 9), 3], "still open after the first step")
    whole = estimator_law(model, policy, 2, lambda p: sum(p.rewards))
    yield equal(
        [whole.mean, whole.variance],
        [Fraction(197, 72), Fraction(34, 3) - Fraction(197, 72) ** 2],
        "mean and variance from the start, by hand",
    )
    yield below(after(1).variance, whole.variance, "each step adds its share")


waiting

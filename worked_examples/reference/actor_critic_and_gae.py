# %% [markdown]
# # Actor-critic and GAE
#
# *Document `reference`, lines 91 to 109.* The TD error as an advantage, the gradient built from it, GAE, and the loss of A2C. The formulas
# are right as definitions. What is said *about* them needs conditions: a gradient taken with a critic is the gradient if the
# critic is right and later states count less; λ = 0 and λ = 1 have the bias and variance of the list for some critics and rewards;
# and a loss whose advantages are computed by the critic has the right gradient only if they are held fixed.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    against,
    below,
    claim,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    same_as,
    shows,
    sourced,
)
from rlexact.exact.evaluation import advantage
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect
from rlexact.exact.return_estimators import lambda_advantage_law, lambda_return_law
from rlexact.formulas.a2c import a2c_loss, a2c_loss_gradient
from rlexact.formulas.actor_critic import policy_loss, policy_loss_gradient, value_loss, value_loss_gradient
from rlexact.formulas.entropy import entropy
from rlexact.formulas.gae import gae, td_errors
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("reference", "actor_critic_and_gae", "Actor-critic and GAE")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)
HALF_SYMBOL = sympy.Rational(1, 2)
ENDS, GOES_ON = [False, False, False, True], [False] * 4

# %% [markdown]
# ## A crossroads, a relay and a coin
#
# Three small models decide most of what follows. At the *crossroads* one way leads to a state that pays 0 or 2 by chance, the other to a
# state that pays nothing; γ = ½, so that with fair choices $V = (\frac14, 1, 0)$ and the advantages are $\pm\frac14$. In the *relay* two
# decisions follow each other and pay 0 or 1, then 0 or 4. In *quits* a coin pays ±1 and the next step pays it back.


# %%
def vector(*numbers):
    """Numbers as an exact vector."""
    return np.array([Fraction(x) for x in numbers], dtype=object)


def crossroads():
    """From 0, action 0 leads to state 1, which pays 0 or 2 and ends; action 1 to state 2, which pays 0 and ends."""
    ways = {(0, a): [(ONE, 1 + a, 0, False)] for a in (0, 1)}
    coin = [(HALF, None, 0, True), (HALF, None, 2, True)]
    return MDP.from_outcomes(ways | {(1, 0): coin, (2, 0): [(ONE, None, 0, True)]}, HALF, 0)


def relay():
    """Two decisions, γ = 1/2: state 0 pays 0 or 1 and leads on; state 1 pays 0 or 4 and ends."""
    first = {(0, a): [(ONE, 1, a, False)] for a in (0, 1)}
    return MDP.from_outcomes(first | {(1, a): [(ONE, None, 4 * a, True)] for a in (0, 1)}, HALF, 0)


def quits():
    """From state 0 a coin pays 1 and leads to state 1, or -1 and leads to 2; from there the opposite is paid, and the end."""
    there = [(HALF, 1, 1, False), (HALF, 2, -1, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, -1, True)], (2, 0): [(ONE, None, 1, True)]}, ONE, 0)


TRUE, REVERSED = vector(QUARTER, 1, 0), vector(QUARTER, 0, 1)


# %% [markdown]
# ## The TD error as an advantage
#
# Its mean given $(s, a)$ is $A^\pi(s, a) + \gamma E[e(s')] - e(s)$, with $e = \hat V - V^\pi$: the advantage, if the critic is right.


# %%
def path_errors(model, v, path):
    """δ of every step of a path, by the library, under the critic v."""
    steps = len(path.actions)
    states = [*path.states, *[0] * (steps + 1 - len(path.states))]
    ended = [False] * (steps - 1) + [path.terminated]
    return td_errors(path.rewards, v[states[:-1]], v[states[1:]], ended, model.gamma)


def mean_first_error(model, v, action):
    """E[δ_0 | first action]."""
    choose = uniform(model)
    choose[0] = [int(a == action) for a in range(model.n_actions)]
    return expect(model, choose, 1, lambda path: path_errors(model, v, path)[0])


@claim(
    "reference-060",
    says=r"One-step advantage estimate: $A_t = R_{t+1} + \gamma V(S_{t+1}) - V(S_t) = \delta_t$",
    verdict=Holds(note="its mean is A^π for V = V^π; a wrong critic adds γ E e(s') - e(s)"),
    about=(td_errors, advantage),
)
def the_td_error_as_an_advantage():
    r, v, after, gamma = sympy.symbols("r v v' gamma", positive=True)
    yield proved(td_errors([r], [v], [after], None, gamma)[0] - (r + gamma * after - v), "the formula")
    model = crossroads()
    right = [mean_first_error(model, TRUE, a) for a in (0, 1)]
    yield equal(right, [QUARTER, -QUARTER], "crossroads, right critic: mean of δ for the two ways")
    yield equal(advantage(model, uniform(model))[0], [QUARTER, -QUARTER], "their advantages")
    off = [mean_first_error(model, TRUE + vector(1, 4, 0), a) for a in (0, 1)]
    yield equal(off, [QUARTER + 2 - 1, -QUARTER - 1], "a critic off by (1, 4, 0): plus γ e(s') - e(s)")


the_td_error_as_an_advantage

# %% [markdown]
# ## The gradient
#
# The document writes ≈, and says neither what the average is over nor what critic computes $A_t$. With the right critic and the step at time $t$
# counted $\gamma^t$ it is exactly $\nabla J$ (or $(1-\gamma)\nabla J$, over the normalised occupancy). With all steps counted alike the direction is
# another. With a wrong critic it can be the opposite: at the crossroads, a critic that takes the two states for each other
# lowers the probability of the better way.


# %%
def actor_gradient(model, v, discount):
    """E Σ_t discount^t ∇log π(a_t | s_t) δ_t for fair choices, softmax logits: (S, A)."""
    policy = uniform(model)

    def along(path):
        total, delta = 0 * policy, path_errors(model, v, path)
        for t, (s, a) in enumerate(zip(path.states, path.actions, strict=False)):
            push = np.array([int(b == a) for b in range(model.n_actions)]) * model.available[s] - policy[s]
            total[s] = total[s] + discount**t * delta[t] * push
        return total

    return expect(model, policy, 2, along)


@claim(
    "reference-061",
    says=r"$\nabla_\theta J(\theta) \approx E[\nabla_\theta \log\pi_\theta(a_t \mid s_t) A_t]$",
    verdict=Conditional(
        given="the critic that computes A_t is V^π, and the step at time t counts γ^t (states drawn from the discounted occupancy); "
        "then it is ∇J, or (1 - γ) ∇J if the occupancy is normalised"
    ),
    about=(td_errors, policy_gradient),
)
def the_actor_gradient():
    model, v = relay(), vector(Fraction(3, 2), 2)
    by_hand = [[-QUARTER, QUARTER], [-HALF, HALF]]
    yield equal(policy_gradient(model, softmax_at(model, uniform(model))), by_hand, "relay: ∇J")
    yield equal(actor_gradient(model, v, HALF), by_hand, "right critic, steps counted γ^t")
    alike = actor_gradient(model, v, ONE)
    yield equal(alike, [[-QUARTER, QUARTER], [-1, 1]], "steps counted alike")
    yield against(alike[0, 1] * by_hand[1][1] != alike[1, 1] * by_hand[0][1], "which is not parallel to ∇J")
    model = crossroads()
    slope = policy_gradient(model, softmax_at(model, uniform(model)))[0]
    yield equal(slope, [Fraction(1, 8), -Fraction(1, 8)], "crossroads: ∇J")
    yield differs(actor_gradient(model, REVERSED, HALF)[0], slope, "with a critic that takes 1 for 2 and 2 for 1")


the_actor_gradient

# %% [markdown]
# ## The critic's loss
#
# Line 95 and, for A2C, line 107: the mean squared distance to the return. It is least at $E[G_t \mid s_t] = V^\pi(s_t)$ for a table, whatever
# weight the states have; what is left there is the variance of the return.


# %%
@claim(
    "reference-062",
    "reference-073",
    says=r"$L_V = E[(V_\phi(s_t) - G_t)^2]$, minimised over $\phi$",
    verdict=Holds(note="a table's minimum is V^π; a family that cannot hold V^π is pulled to where states are visited"),
    about=(value_loss, value_loss_gradient),
)
def the_critic_loss():
    v, returns = sympy.Symbol("v", real=True), [0, 2]
    losses = [value_loss([v], [g])[0] for g in returns]
    yield proved(sum(losses) / 2 - ((v - 1) ** 2 + 1), "a coin pays 0 or 2: (v - 1)² + 1, the variance of the return 1")
    slopes = [value_loss_gradient([ONE], [g])[0] for g in returns]
    yield equal(slopes, [2, -2], "at v = 1 the two samples pull alike")
    yield proved(sympy.diff(losses[1], v) - value_loss_gradient([v], [2])[0], "the gradient is the derivative")
    sampled = expect(crossroads(), uniform(crossroads()), 2, lambda p: value_loss_gradient([QUARTER], [sum_of(p)])[0])
    yield equal(sampled, 0, "crossroads: at V(0) = 1/4 the mean gradient is 0")


def sum_of(path):
    """The return of a path at γ = 1/2."""
    return sum((HALF**t * r for t, r in enumerate(path.rewards)), start=Fraction(0))


the_critic_loss

# %% [markdown]
# ## GAE
#
# The definition sums to the end of the data; the recursion starts there with 0. Here δ is written with $r_t$, which is the $R_{t+1}$ of line 76.
# For a stream of 1s without end, γ = ½ and a critic that says 3 (the truth is 2), every δ is $1 + \frac32 - 3 = -\frac12$, and the sum is
# $-\frac12 / (1 - \lambda/2)$.


# %%
def stretch():
    """(r, v, γ, λ): four rewards and five values, all free."""
    gamma, lam = sympy.symbols("gamma lambda", nonnegative=True)
    return sympy.symbols("r:4", real=True), sympy.symbols("v:5", real=True), gamma, lam


def written_out():
    """δ_0 ... δ_3 of the free stretch."""
    r, v, gamma, _ = stretch()
    return [r[t] + gamma * v[t + 1] - v[t] for t in range(4)]


def steady():
    """One state that pays 1 for ever, γ = 1/2: V = 2."""
    return MDP.chain([[1]], [1], HALF, 0)


@claim(
    "reference-063",
    "reference-065",
    says=r"$A_t^{GAE(\gamma,\lambda)} = \sum_{l \ge 0} (\gamma\lambda)^l \delta_{t+l}$, that is $A_t = \delta_t + \gamma\lambda A_{t+1}$",
    verdict=Holds(note="0 behind the last step; the recursion starts anew after each end of an episode in the data"),
    about=(gae, lambda_advantage_law),
)
def the_sum_and_the_recursion():
    r, v, gamma, lam = stretch()
    delta, found = written_out(), gae(r, v[:4], v[1:], None, None, gamma, lam)
    series = [sum((gamma * lam) ** k * delta[t + k] for k in range(4 - t)) for t in range(4)]
    yield proved(found - np.array(series), "the sum, for each of four steps")
    yield proved(found[:3] - np.array(delta[:3]) - gamma * lam * found[1:], "the recursion")
    for lam in (Fraction(0), HALF, ONE):
        for_ever = lambda_advantage_law(steady(), uniform(steady()), vector(3), lam).mean[0, 0]
        yield equal(for_ever, -HALF / (1 - lam / 2), f"a stream without end, λ = {lam}")


the_sum_and_the_recursion


# %%
@claim(
    "reference-064",
    says=r"$\delta_t = r_t + \gamma V(s_{t+1}) - V(s_t)$",
    verdict=Holds(
        note="the same error as in line 76, with r_t for R_{t+1}; V(s_{t+1}) is 0 after an end, kept at a cut"
    ),
    about=td_errors,
)
def the_td_error():
    r, v, gamma, _ = stretch()
    yield proved(td_errors(r, v[:4], v[1:], None, gamma) - np.array(written_out()), "on free numbers")
    ended = td_errors([ONE] * 4, [2] * 4, [3] * 4, ENDS, HALF)
    yield equal(ended, [HALF, HALF, HALF, -1], "1 + ½ · 3 - 2, and 1 - 2 at the end")


the_td_error

# %% [markdown]
# ### λ = 0
#
# The sum has one term. "High bias, low variance" depends on the critic. Count the bias by what the gradient sees, the difference between the
# actions: at the crossroads the right critic has none, the reversed one gets both signs wrong. And the variance is low because the coin
# comes later; in quits, where the coin comes first and is paid back, it is λ = 0 that is noisy, unless the critic knows.


# %%
lambda_zero = same_as("reference-066", of="theory-231", says=r"at $\lambda = 0$, $A_t = \delta_t$")
lambda_zero


# %%
def start(law):
    """(bias for each action, variance for each action) at state 0."""
    return [list(x[0]) for x in (law.bias, law.variance)]


def ends_of(model, v):
    """`start` at λ = 0 and at λ = 1."""
    return [start(lambda_advantage_law(model, uniform(model), v, lam)) for lam in (0, 1)]


@claim(
    "reference-067",
    says="λ = 0: high bias, low variance",
    verdict=Conditional(
        given="the critic is wrong about the states that follow (else there is no bias), and yet near enough to V^π to add less noise than "
        "it saves (else the variance is not the lower one)"
    ),
    about=lambda_advantage_law,
)
def the_lower_end():
    one_step, whole = ends_of(crossroads(), REVERSED)
    yield equal(one_step, [[-HALF, HALF], [0, 0]], "crossroads, reversed critic, λ = 0: bias and variance")
    yield equal(whole, [[0, 0], [QUARTER, 0]], "λ = 1")
    right = ends_of(crossroads(), TRUE)[0]
    yield equal(right, [[0, 0], [0, 0]], "right critic, λ = 0")
    yield against(right[0] == [0, 0], "no bias at all")
    one_step, whole = ends_of(quits(), vector(0, 0, 0))
    yield exceeds(one_step[1][0], whole[1][0], "quits, critic 0: variance at λ = 0 against λ = 1")
    yield equal(ends_of(quits(), vector(0, -1, 1))[0][1], [0], "quits, right critic: no variance at λ = 0")
    yield equal(ends_of(quits(), vector(0, 9, -9))[0][1], [100], "a critic that invents ±9: ±10 at λ = 0")


the_lower_end

# %% [markdown]
# ### λ = 1
#
# That the sum at λ = 1 is $\sum_k \gamma^k \delta_{t+k}$ is immediate. That this is the Monte Carlo advantage $G_t - V(s_t)$ takes a telescope, and
# an end: data that are cut keep $\gamma^n V(s_{t+n})$. And $G_t - V(s_t)$ is off by $V^\pi(s_t) - V(s_t)$, the same for every action, so that the
# gradient does not see it; but as an estimate of the number $A^\pi$ it may be further off than δ.


# %%
@claim(
    "reference-068",
    says=r"$\lambda = 1$: $A_t = \sum_k \gamma^k \delta_{t+k}$",
    verdict=Holds(),
    about=gae,
)
def the_full_sum():
    r, v, gamma, _ = stretch()
    delta = written_out()
    found = gae(r, v[:4], v[1:], None, None, gamma, 1)
    yield proved(found - np.array([sum(gamma**k * delta[t + k] for k in range(4 - t)) for t in range(4)]), "four steps")


the_full_sum


# %%
@claim(
    "reference-069",
    says="λ = 1 is the Monte Carlo advantage, with low bias and high variance",
    verdict=Conditional(
        given="the data run to the end of the episode; bias up to what all actions share, or V(s_t) right; and returns that vary"
    ),
    about=(gae, lambda_advantage_law),
)
def the_upper_end():
    r, v, gamma, _ = stretch()
    monte_carlo = np.array([sum(gamma**k * r[t + k] for k in range(4 - t)) - v[t] for t in range(4)])
    yield proved(gae(r, v[:4], v[1:], ENDS, None, gamma, 1) - monte_carlo, "an episode that ends: G - V, every step")
    yield equal(ends_of(crossroads(), REVERSED)[1], [[0, 0], [QUARTER, 0]], "crossroads, reversed critic: no bias")
    left = np.array([gamma ** (4 - t) * v[4] for t in range(4)])
    yield proved(gae(r, v[:4], v[1:], GOES_ON, None, gamma, 1) - monte_carlo - left, "cut data: the last value stays")
    cut = gae([ONE] * 4, [3] * 4, [3] * 4, GOES_ON, None, HALF, 1)[0]
    yield differs(Fraction(15, 8) - 3, cut, "a stream of 1s cut after four steps, V = 3: the rewards seen less V")
    short, whole = ends_of(steady(), vector(3))
    yield equal([short[0][0], whole[0][0]], [-HALF, -1], "the stream without end: bias at λ = 0 and at λ = 1")
    yield exceeds(abs(whole[0][0]), abs(short[0][0]), "bias of the Monte Carlo advantage against that of δ")
    yield equal(ends_of(quits(), vector(0, 0, 0))[1][1], [0], "quits: its variance is 0")


the_upper_end

# %% [markdown]
# ### λ = 0.95
#
# From the middle of the random walk, where the truth is ½, the mean squared error of the λ-return. A critic that says 0 everywhere: ¼ at either end,
# 0.163 at 0.95. The right critic: 1/36 at λ = 0, and five times that at 0.95. Which λ is a good balance depends on how wrong the critic
# is, and 0.95 trusts it little.


# %%
def squared_error(share, lam):
    """Mean squared error at the middle of the random walk, with `share` times the true values for a critic."""
    walk = gallery.random_walk()
    known = share * vector(*(Fraction(k, 6) for k in range(1, 6)))
    return lambda_return_law(walk, uniform(walk), known, lam).mean_squared_error[2]


@claim(
    "reference-070",
    says="λ = 0.95: a good balance, the default in PPO",
    verdict=Conditional(
        given="a critic that is still far off, and returns that vary; a good critic calls for a smaller λ. That PPO used .95 is right"
    ),
    about=lambda_return_law,
)
def the_usual_lambda():
    yield sourced("Schulman et al. (2017), tables 3 to 5: GAE parameter (λ) 0.95")
    lam = printed("0.95").value
    yield equal([squared_error(0, k) for k in (0, 1)], [QUARTER, QUARTER], "critic 0: error at λ = 0 and λ = 1")
    yield below(squared_error(0, lam), Fraction(17, 100), "at .95")
    yield equal(squared_error(1, 0), Fraction(1, 36), "right critic: error at λ = 0")
    yield exceeds(squared_error(1, lam), 5 * squared_error(1, 0), "right critic: error at .95 against five times that")


the_usual_lambda


# %%
@figure
def which_lambda():
    """Mean squared error from the middle of the random walk. The better the critic, the smaller the best λ."""
    from matplotlib import pyplot as plt

    walk, lams = gallery.random_walk().to_float(), np.linspace(0, 1, 61)
    fig, ax = plt.subplots(figsize=(6.2, 3.3))
    for k, (share, name) in enumerate(((0, "0"), (0.25, "a quarter of V"), (0.5, "half of V"), (1, "V"))):
        v = share * np.arange(1, 6) / 6
        found = [lambda_return_law(walk, uniform(walk), v, lam).mean_squared_error[2] for lam in lams]
        ax.plot(lams, found, color=COLOURS[k])
        ax.annotate(f"critic says {name}", (0.02, found[0] + 0.006), color=COLOURS[k], fontsize=9)
        best = int(np.argmin(found))
        ax.plot(lams[best], found[best], "o", color=COLOURS[k], ms=5)
    ax.axvline(0.95, color="0.5", ls=":", lw=1)
    ax.set(xlabel=r"$\lambda$", ylabel="mean squared error", ylim=(0, 0.28))
    return fig


which_lambda

# %% [markdown]
# ## The loss of A2C
#
# Minimised: the policy loss and $c_1$ times the value loss go down, the entropy goes up. The sum has the right signs. In its first term $A_t$
# must be a number. If it is computed by the critic and differentiated as well, the critic is pulled off its target by $\log\pi / 2c_1$;
# and if the average is differentiated together with the policy that the actions are drawn from, a term too many appears.


# %%
@claim(
    "reference-071",
    says=r"$L = L_{policy} + c_1 L_{value} - c_2 H(\pi)$, minimised",
    verdict=Holds(note="H is averaged over the states of the batch, as the other two terms are"),
    about=(a2c_loss, a2c_loss_gradient),
)
def the_total_loss():
    log_p, adv, v, g, h = sympy.symbols("l A v G H", real=True)
    c_1, c_2 = sympy.symbols("c_1 c_2", positive=True)
    total = a2c_loss([log_p], [adv], [v], [g], [h], c_1, c_2).total[0]
    yield proved(total - (-log_p * adv + c_1 * (v - g) ** 2 - c_2 * h), "the sum")
    slope = a2c_loss_gradient([ONE], [2], [3], [5], [ONE], HALF, HALF)
    down = [-slope.log_probs[0], -slope.values[0], -slope.entropies[0]]
    yield equal(down, [2, 2, HALF], "downhill: log π rises with A, V moves to the target above it, H rises")


the_total_loss


# %%
def two_arms():
    """(p, [π, π']): the chance of the first of two arms under a logit, and its derivative."""
    p = sympy.Symbol("p", positive=True)
    return p, [p, 1 - p], [p * (1 - p), -p * (1 - p)]


@claim(
    "reference-072",
    says=r"$L_{policy} = -E[\log\pi_\theta(a_t \mid s_t) A_t]$",
    verdict=Conditional(
        given="while differentiating, A_t is held fixed and so is the law of the drawn actions and states; the gradient is then -∇J "
        "(as far as E[∇log π A] is ∇J)"
    ),
    about=(policy_loss, policy_loss_gradient),
)
def the_policy_loss():
    p, pi, slope = two_arms()
    A = [4 * (1 - p), -4 * p]  # arms that pay 4 and 0: Q - V, V = 4p
    held = sum(w * policy_loss_gradient([sympy.log(w)], [a])[0] * s / w for w, s, a in zip(pi, slope, A, strict=True))
    yield proved(held + 4 * p * (1 - p), "arms that pay 4 and 0: minus the derivative of J = 4p in the logit")
    moving = sum(w * policy_loss([sympy.log(w)], [a])[0] for w, a in zip(pi, [2, -2], strict=True))
    through = (sympy.diff(moving, p) * p * (1 - p)).subs(p, HALF_SYMBOL)
    yield proved(through - (sympy.log(2) - 1), "at p = ½, A held at ±2, the law of the actions differentiated too")
    yield differs(through, held.subs(p, HALF_SYMBOL), "against minus the gradient of J there")
    v, c = sympy.Symbol("v", real=True), sympy.Symbol("c_1", positive=True)
    loss = policy_loss([sympy.log(HALF_SYMBOL)], [2 - v])[0] + c * (v - 2) ** 2
    rest = sympy.solve(sympy.diff(loss, v), v)[0]
    yield proved(
        rest - (2 + sympy.log(2) / (2 * c)), "A = G - V(s) not held fixed, G = 2, π = ½: where the critic rests"
    )
    yield differs(rest.subs(c, HALF_SYMBOL), 2, "against its target, c₁ = ½")


the_policy_loss

# %% [markdown]
# ## Entropy and the coefficients
#
# In nats: 0 for a sure action, $\log n$ for $n$ equal ones, and of choices in stages the sum of the stages, each as often as it is met.


# %%
@claim(
    "reference-074",
    says=r"$H(\pi) = -\sum_a \pi(a \mid s) \log\pi(a \mid s)$",
    verdict=Holds(note="a number for each state; 0 log 0 = 0"),
    about=entropy,
)
def the_entropy():
    log = sympy.log
    fourth = sympy.Rational(1, 4)
    yield proved(entropy([HALF_SYMBOL, fourth, fourth]) - 3 * log(2) / 2, "½, ¼, ¼: a bit, and half the time another")
    yield proved(entropy([fourth] * 4) - log(4), "four equal actions: log 4")
    yield proved(entropy([sympy.Integer(1), sympy.Integer(0)]), "a sure action: 0")
    third = entropy([sympy.Rational(1, 3), sympy.Rational(2, 3)])
    stages = entropy([sympy.Rational(1, 3), sympy.Rational(1, 3), sympy.Rational(1, 3)]) - third
    yield proved(sympy.expand_log(stages - 2 * log(2) / 3, force=True), "thirds: first one against two, then a coin")


the_entropy


# %%
@claim(
    "reference-075",
    says=r"$c_1 \approx 0.5$, $c_2 \approx 0.01$",
    verdict=Holds(
        note="usual sizes, for a square without ½: then c₁ = .5 is half the squared error. Neither is free of the rewards' scale"
    ),
    about=a2c_loss_gradient,
)
def the_coefficients():
    yield sourced(
        "Mnih et al. (2016), experimental setup: entropy weight 0.01; OpenAI baselines, a2c: vf_coef 0.5, ent_coef 0.01"
    )
    c_1, c_2 = printed("0.5").value, printed("0.01").value
    slope = a2c_loss_gradient([ONE], [2], [3], [5], [ONE], c_1, c_2)
    yield equal(
        [slope.values[0], slope.entropies[0]], [3 - 5, -Fraction(1, 100)], "what the value head receives: V - G"
    )
    tenfold = a2c_loss_gradient([ONE], [20], [30], [50], [ONE], c_1, c_2)
    yield shows(tenfold.entropies[0] == slope.entropies[0], "rewards ten times as large: the bonus stays as it was")
    yield equal([tenfold.log_probs[0], tenfold.values[0]], [-20, -20], "the other two are ten times as large")


the_coefficients

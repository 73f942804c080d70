# %% [markdown]
# # From human preferences to a policy: RLHF
#
# *Document `theory`, lines 342 to 366, and the counts of the table in lines 378 to 386.* Comparisons give a reward, and the reward a
# policy that stays near a reference. The derivation is right in every line but one: a functional derivative is set to zero without
# the multiplier of $\sum_y \pi(y) = 1$. A loss is off in its last digit, a model is counted twice, PPO is called necessary, and two
# statements need a condition.
#
# Everything happens on one prompt with three answers, so that expectations are sums. Rewards are logarithms of whole numbers, and
# the library runs on them as they are: π\*, preference probabilities and losses come out exact.

# %%
import sympy

from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    agrees,
    claim,
    close,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    proved_at_most,
    sourced,
)
from rlexact.formulas.divergence import kl
from rlexact.formulas.dpo import dpo_loss_gradient
from rlexact.formulas.kl_estimators import k1
from rlexact.formulas.kl_optimum import kl_regularised_policy, partition
from rlexact.formulas.kl_shaping import sequence_reward
from rlexact.formulas.ppo import clipped_surrogate_gradient
from rlexact.formulas.preference import bradley_terry_probability, reward_model_loss, reward_model_loss_gradient
from rlexact.formulas.rlhf import (
    best_of_n,
    greedy_limit,
    regularised_objective,
    regularised_objective_gradient,
    regularised_objective_logit_gradient,
    reward_of_policy,
)
from rlexact.formulas.sigmoid import sigmoid
from rlexact.plotting import COLOURS, figure
from rlexact.symbolic.normal_form import normal_form
from rlexact.symbolic.notation import beta, reals, sigmoid_of, simplex, softmax_of

SECTION = Section("theory", "rlhf", "From human preferences to a policy: RLHF")

ratio, log = sympy.Rational, sympy.log
REFERENCE = [ratio(1, 2), ratio(1, 4), ratio(1, 4)]
REWARDS = [sympy.Integer(0), log(4), log(2)]
OPTIMUM = [ratio(1, 4), ratio(1, 2), ratio(1, 4)]  # at β = 1: (1/2 · 1, 1/4 · 4, 1/4 · 2) / 2
PAIRS = [(1, 0), (1, 2), (2, 0)]  # the better answer first

# %% [markdown]
# ## Free letters
#
# For identities the policy π, the reference μ, three rewards and β are symbols: probabilities by positive odds, so that they sum
# to 1 by form. The optimum, written out by hand, is $\mu(y) e^{r(y)/\beta}$ over its sum $Z$.


# %%
def letters():
    """(π, μ, r, z): a policy, a reference, rewards and logits, three of each, all free."""
    return simplex("v", 3), simplex("w", 3), reals("r", 3), reals("z", 3)


def tilted():
    """(μ e^{r/β} / Z, Z), by hand."""
    _, mu, r, _ = letters()
    weights = [m * sympy.exp(x / beta) for m, x in zip(mu, r, strict=True)]
    return [w / sum(weights) for w in weights], sum(weights)


def logs(p):
    return [log(x) for x in p]


def vanishes(residual, what):
    """The proof that a list of expressions with logarithms is zero."""
    return proved([normal_form(sympy.sympify(x)) for x in residual], what)


# %% [markdown]
# ## A reward from comparisons
#
# The display of Bradley and Terry's model is lost, and so is the loss that fits it. They are
# $P(y_1 \succ y_2) = e^{r_1} / (e^{r_1} + e^{r_2}) = \sigma(r_1 - r_2)$ and $-\log\sigma(r_w - r_l)$, averaged over pairs. The loss is
# convex in the gap; where a share $p$ of the annotators prefers the first answer it is least at $\sigma(\text{gap}) = p$, which is
# what makes it the right loss.


# %%
@claim(
    "theory-413",
    "theory-428",
    says=r"(lost display) $P(y_1 \succ y_2) = e^{r_1}/(e^{r_1}+e^{r_2}) = \sigma(r(x, y_1) - r(x, y_2))$",
    verdict=Holds(note="the model: only differences of rewards show in it"),
    about=bradley_terry_probability,
)
def bradley_terry():
    r, s, c = sympy.symbols("r s c", real=True)
    yield proved(
        bradley_terry_probability([r], [s])[0] - sympy.exp(r) / (sympy.exp(r) + sympy.exp(s)), "σ is the share"
    )
    yield proved(
        bradley_terry_probability([r + c], [s + c])[0] - sigmoid_of(r - s), "a constant added to both changes nothing"
    )
    found = [bradley_terry_probability([REWARDS[w]], [REWARDS[b]])[0] for w, b in PAIRS]
    yield equal(found, [ratio(4, 5), ratio(2, 3), ratio(2, 3)], "weights 1, 4, 2: 4/(4 + 1), 4/(4 + 2), 2/(2 + 1)")


bradley_terry


# %%
@claim(
    "theory-414",
    says=r"(lost display) $L_R = -E[\log\sigma(r_\phi(x, y_w) - r_\phi(x, y_l))]$",
    verdict=Holds(note="minus the log-likelihood, convex in the gap, least where σ(gap) is the share of annotators"),
    about=(reward_model_loss, reward_model_loss_gradient),
)
def reward_model():
    gap = sympy.Symbol("u", real=True)
    loss = reward_model_loss([gap], [0])[0]
    yield equal(reward_model_loss([log(4)], [0])[0], log(ratio(5, 4)), "minus the logarithm of 4/5")
    yield proved(sympy.diff(loss, gap) - reward_model_loss_gradient([gap], [0]).chosen[0], "its slope")
    curvature = sigmoid_of(gap) * sigmoid_of(-gap)
    yield proved_at_most(0, sympy.diff(loss, gap, 2), [curvature], "convex: the curvature is σ(u) σ(-u)")
    first, second = (reward_model_loss_gradient([x], [-x]).chosen[0] for x in (log(4) / 2, -log(4) / 2))
    yield equal(ratio(4, 5) * first - ratio(1, 5) * second, 0, "4 of 5 prefer the first: least at a gap of log 4")


reward_model

# %% [markdown]
# ### The haiku
#
# Rewards 2.3 and 1.8. The gap and σ(0.5) = 0.6225 are right. The loss is printed as 0.475, which is minus the logarithm of the
# *rounded* 0.622; minus the logarithm of σ(0.5) itself is 0.4741.


# %%
@claim(
    "theory-416",
    "theory-417",
    says="The gap is 2.3 - 1.8 = 0.5, and σ(0.5) = 0.622",
    verdict=Holds(),
    about=(bradley_terry_probability, sigmoid),
)
def the_haiku():
    yield equal(printed("2.3").value - printed("1.8").value, ratio(1, 2), "the gap, in tenths")
    yield agrees(printed("0.5"), ratio(23, 10) - ratio(18, 10))
    yield agrees(printed("0.622"), float(sigmoid(0.5)), "σ(.5)")
    yield agrees(printed("0.622"), float(bradley_terry_probability([2.3], [1.8])[0]), "from the two rewards")


the_haiku


# %%
@claim(
    "theory-418",
    says="Loss: -log σ(0.5) = -log(0.622) = 0.475",
    verdict=Wrong(
        because="the rounding of σ(0.5) = 0.62246 to 0.622 is carried into the logarithm, and shows in the last digit",
        instead="-log σ(0.5) = log(1 + e^-0.5) = 0.4741, printed 0.474",
    ),
    about=reward_model_loss,
)
def the_haiku_loss():
    loss = float(reward_model_loss([2.3], [1.8])[0])
    yield differs(printed("0.475"), loss, "-log σ(.5)")
    yield agrees(printed("0.475"), float(-log(ratio(622, 1000))), "what 0.475 is: -log of 0.622")
    yield close(loss, float(log(1 + sympy.exp(-ratio(1, 2)))), 1e-14, "a few roundings", "log(1 + e^-½)")
    yield agrees(printed("0.474"), loss, "to three digits")


the_haiku_loss

# %% [markdown]
# ### What the step does
#
# In the two rewards the slope is $\mp\sigma(-\text{gap})$: a step down raises one and lowers the other. But $r_\phi$ is a network,
# and the two rewards share φ. With $r = w \cdot f$, $f_1 = (1, 0)$, $f_2 = (2, 1)$ and $w = (2.3, -2.8)$ the rewards are 2.3 and 1.8
# again; the step moves $w$ along $f_1 - f_2 = (-1, -1)$, and *both* rewards fall, the loser's faster. Only the gap is sure to grow: to
# first order by $\sigma(-\text{gap})\,|f_1 - f_2|^2$.


# %%
def reward_changes(f_w, f_l, gap):
    """Rates of (r_w, r_l) along the descent of a reward model that is linear in its features."""
    slopes = reward_model_loss_gradient([gap], [0])
    step = [-(slopes.chosen[0] * a + slopes.rejected[0] * b) for a, b in zip(f_w, f_l, strict=True)]
    return [sum(s * x for s, x in zip(step, f, strict=True)) for f in (f_w, f_l)]


@claim(
    "theory-419",
    says="The gradient pushes r(y1) up and r(y2) down, increasing the gap",
    verdict=Conditional(
        given="the two rewards can move apart freely (∇r1 · ∇r2 below both squared lengths); shared parameters can carry both the "
        "same way, and only the gap must grow"
    ),
    about=reward_model_loss_gradient,
)
def the_push_on_rewards():
    half, weight = ratio(1, 2), 1 / (1 + sympy.exp(ratio(1, 2)))
    free = reward_changes([1, 0], [0, 1], half)
    yield proved([free[0] - weight, free[1] + weight], "free rewards: σ(-.5) up, σ(-.5) down")
    together = reward_changes([1, 0], [2, 1], half)
    yield proved([together[0] + weight, together[1] + 3 * weight], "f = (1, 0) and (2, 1): by -σ(-.5) and -3 σ(-.5)")
    yield exceeds(ratio(23, 10), ratio(23, 10) + together[0] / 10, "the winner's reward, before and after a small step")
    f, g = reals("f", 2), reals("g", 2)
    rise = reward_changes(f, g, half)
    terms = [weight * (a - b) ** 2 for a, b in zip(f, g, strict=True)]
    yield proved_at_most(0, sympy.expand(rise[0] - rise[1]), terms, "the gap: σ(-.5) |f - g|² for all features")


the_push_on_rewards

# %% [markdown]
# ## The objective and its optimum
#
# Stage 3 maximises $E_\pi[r] - \beta\,\mathrm{KL}(\pi\|\pi_{ref})$; its display is lost at the first place and printed at the
# second. Writing the divergence as an expectation, and the logarithm of the ratio as a difference, changes nothing. That is also
# what code does: the penalty goes into the reward of the sampled answer.


# %%
@claim(
    "theory-412",
    "theory-421",
    "theory-422",
    "theory-423",
    says=r"$\max_\pi E_\pi[r] - \beta\,KL(\pi\|\pi_{ref}) = \max E_\pi[r - \beta\log(\pi/\pi_{ref})] = "
    r"\max E_\pi[r - \beta\log\pi + \beta\log\pi_{ref}]$",
    verdict=Holds(note="where π_ref is positive wherever π is; else the penalty is infinite"),
    about=(regularised_objective, kl, k1, sequence_reward),
)
def the_objective():
    pi, mu, r, _ = letters()
    j = regularised_objective(pi, r, mu, beta)[()]
    inside = [p * (x - beta * log(p) + beta * log(m)) for p, x, m in zip(pi, r, mu, strict=True)]
    yield vanishes([j - sum(inside)], "with the logarithms apart")
    yield vanishes([j - sum(p * x for p, x in zip(pi, r, strict=True)) + beta * kl(pi, mu)[()]], "reward less β KL")
    one_sample = k1(logs(pi), logs(mu))
    yield vanishes(
        [sum(p * k for p, k in zip(pi, one_sample, strict=True)) - kl(pi, mu)[()]], "the log-ratio has mean KL"
    )
    shaped = sequence_reward(r, [logs(pi)], [logs(mu)], beta)
    yield vanishes([j - sum(p * x for p, x in zip(pi, shaped, strict=True))], "mean of the shaped reward")
    yield equal(regularised_objective(OPTIMUM, REWARDS, REFERENCE, 1)[()], log(2), "three answers: log Z = log 2")


the_objective

# %% [markdown]
# The optimum is what the document says, and one identity shows it without calculus: $J(\pi) = \beta\log Z - \beta\,
# \mathrm{KL}(\pi\|\pi^*)$ for *every* π, and a divergence is never negative.


# %%
@claim(
    "theory-425",
    "theory-426",
    "theory-427",
    says=r"$\pi^* = \pi_{ref}\, e^{r/\beta}/Z$ with $Z = \sum_y \pi_{ref}\, e^{r/\beta}$, so $r = \beta\log(\pi^*/\pi_{ref}) + "
    r"\beta\log Z$",
    verdict=Holds(note="on answers that the reference can give; elsewhere π* = 0 and no reward can be read back"),
    about=(kl_regularised_policy, partition, regularised_objective, reward_of_policy),
)
def the_optimum():
    pi, mu, r, _ = letters()
    star, z = tilted()
    yield vanishes(kl_regularised_policy(mu, r, beta) - star, "the library's optimum, by hand")
    yield vanishes([partition(mu, r, beta)[()] - z], "Z")
    j = regularised_objective(pi, r, mu, beta)[()]
    apart = sum(p * (log(p) - log(s)) for p, s in zip(pi, star, strict=True))
    yield vanishes([j - beta * log(z) + beta * apart], "J(π) = β log Z - β KL(π‖π*), so π* is best, and alone")
    back = reward_of_policy(star, mu, beta)
    yield vanishes([b + beta * log(z) - x for b, x in zip(back, r, strict=True)], "the reward, back from the policy")
    yield equal(kl_regularised_policy(REFERENCE, REWARDS, 1), OPTIMUM, "three answers at β = 1")
    yield equal(
        kl_regularised_policy(REFERENCE, REWARDS, ratio(1, 2)), [ratio(k, 11) for k in (1, 8, 2)], "and at β = 1/2"
    )


the_optimum

# %% [markdown]
# The step between is not right as written. Probabilities cannot be moved one by one: their sum is 1, and the derivative has to be
# equal to a multiplier λ, not to 0. Set to 0 it gives $\pi_{ref}\, e^{r/\beta - 1}$, which sums to $Z/e$. With
# $\lambda = \beta\log Z - \beta$ the next line of the document follows.


# %%
@claim(
    "theory-424",
    says=r"The functional derivative set to zero: $r - \beta\log\pi - \beta + \beta\log\pi_{ref} = 0$",
    verdict=Wrong(
        because="the multiplier of Σ π = 1 is missing; the solution of this equation sums to Z/e, and π* does not solve it",
        instead="r - β log π - β + β log π_ref = λ, with λ = β log Z - β, the same for all answers",
    ),
    about=regularised_objective_gradient,
)
def the_missing_multiplier():
    pi, mu, r, _ = letters()
    star, z = tilted()
    derivative = regularised_objective_gradient(pi, r, mu, beta)
    written = [x - beta * log(p) - beta + beta * log(m) for x, p, m in zip(r, pi, mu, strict=True)]
    yield vanishes(derivative - written, "the left side is the derivative")
    at_best = regularised_objective_gradient(OPTIMUM, REWARDS, REFERENCE, 1)
    yield differs([0, 0, 0], at_best, "the derivative at π*, three answers")
    stated = [m * sympy.exp(x - 1) for m, x in zip(REFERENCE, REWARDS, strict=True)]
    yield differs(1, sum(stated), "the sum of the π that solves the equation as it stands")
    yield equal(at_best, [log(2) - 1] * 3, "λ = β log Z - β, three times")
    at_star = regularised_objective_gradient(star, r, mu, beta)
    yield vanishes([g - (beta * log(z) - beta) for g in at_star], "and for all rewards and references")


the_missing_multiplier

# %% [markdown]
# ## Three stages and two
#
# The same demonstrations and comparisons, sent down both roads. Of eight demonstrations four show the first answer, two the second, two
# the third: their frequencies are the reference. Each pair is compared 15 times, with 12, 10 and 10 votes for the better answer. Road
# one fits rewards, then solves stage 3. Road two minimises the DPO loss over policies. Both end at (1/4, 1/2, 1/4).
#
# So DPO has no *separate* reward model: $\beta\log(\pi/\pi_{ref})$ is one.


# %%
def votes():
    """{(preferred, other): votes}: 12 of 15, 10 of 15, 10 of 15."""
    return {(1, 0): 12, (0, 1): 3, (1, 2): 10, (2, 1): 5, (2, 0): 10, (0, 2): 5}


def pulls(slopes):
    """Σ votes · slope, answer by answer; `slopes(preferred, other)` are those of one comparison's loss."""
    out = [sympy.Integer(0)] * 3
    for (w, other), count in votes().items():
        up, down = slopes(w, other)
        out[w] += count * up
        out[other] += count * down
    return out


def reward_slopes(w, other):
    """∂L/∂r of the reward model's loss, at the rewards 0, log 4, log 2."""
    found = reward_model_loss_gradient([REWARDS[w]], [REWARDS[other]])
    return found.chosen[0], found.rejected[0]


def dpo_slopes(policy, reference):
    """∂L/∂log π of the DPO loss at β = 1, for `pulls`."""

    def slopes(w, other):
        at = ([log(x)] for x in (policy[w], policy[other], reference[w], reference[other]))
        found = dpo_loss_gradient(*at, 1)
        return found.policy_chosen[0], found.policy_rejected[0]

    return slopes


@claim(
    "theory-410",
    "theory-411",
    "theory-440",
    says="RLHF has three stages (SFT for π_ref, a reward model, RL with a KL penalty); DPO has two and skips the reward model",
    verdict=Holds(note="both roads end at the same policy; in DPO the log-ratio of policy and reference is the reward"),
    about=(reward_model_loss_gradient, kl_regularised_policy, dpo_loss_gradient),
)
def three_stages_and_two():
    reference = [ratio(shown, 8) for shown in (4, 2, 2)]
    yield equal(reference, REFERENCE, "1, in both: frequencies of the demonstrations")
    yield equal(
        pulls(reward_slopes), [0, 0, 0], "2: the rewards 0, log 4, log 2 fit the votes best (the loss is convex)"
    )
    trained = kl_regularised_policy(reference, REWARDS, 1)
    yield equal(trained, OPTIMUM, "3: the optimum of reward and penalty")
    yield equal(pulls(dpo_slopes(trained, reference)), [0, 0, 0], "DPO, with no rewards: level at the same policy")


three_stages_and_two

# %% [markdown]
# ## Is reinforcement learning needed, and PPO?
#
# A *sample* cannot be differentiated. Its *expected* reward can: $\nabla E_\pi[r] = E_\pi[r\,\nabla\log\pi]$, a mean over samples. With
# three answers it is a sum; in general REINFORCE or a leave-one-out baseline estimate it. PPO starts from the very same gradient: at
# ratio 1 its clip does nothing. Clipping and a critic are one choice; best-of-n sampling needs no gradient at all, and the second half
# of the document's own chapter reaches the same optimum without sampling.


# %%
def ascended(steps=400):
    """Plain gradient ascent on the softmax logits of the three answers, from the reference, in floats."""
    rewards, mu = ([float(x) for x in xs] for xs in (REWARDS, REFERENCE))
    z = [float(log(x)) for x in REFERENCE]
    for _ in range(steps):
        pi = [float(p) for p in softmax_of(z)]
        z = [a + float(g) for a, g in zip(z, regularised_objective_logit_gradient(pi, rewards, mu, 1.0), strict=True)]
    return [float(p) for p in softmax_of(z)]


@claim(
    "theory-415",
    says="Token sampling is non-differentiable, so there is no gradient descent on the reward: RL (specifically PPO) is needed",
    verdict=Wrong(
        because="the expected reward is differentiable in the policy; unclipped ascent on it reaches the optimum, and so does DPO",
        instead="the sampled answer has no derivative, its expectation has: ∇E[R] = E[R ∇log π]. Any estimate of it will do; PPO is "
        "one choice",
    ),
    about=(regularised_objective_logit_gradient, clipped_surrogate_gradient, best_of_n),
)
def is_ppo_needed():
    mu, r, z = simplex("w", 2), reals("r", 2), reals("z", 2)
    pi = softmax_of(z)
    total = [x - beta * log(p) + beta * log(m) for x, p, m in zip(r, pi, mu, strict=True)]
    by_scores = [sum(pi[i] * total[i] * (int(i == j) - pi[j]) for i in range(2)) for j in range(2)]
    objective = sum(p * x for p, x in zip(pi, total, strict=True))
    yield vanishes(
        [sympy.diff(objective, z[j]) - by_scores[j] for j in range(2)], "∇E[R] = E[R ∇log π] for all letters"
    )
    found = regularised_objective_logit_gradient(pi, r, mu, beta)
    yield vanishes(found - by_scores, "the library's gradient is that mean of scores")
    yield equal(clipped_surrogate_gradient([1, 1], [3, -2], "1/5"), [3, -2], "PPO's first step: the unclipped gradient")
    yield equal(
        best_of_n(REFERENCE, REWARDS, 2),
        [ratio(k, 16) for k in (4, 7, 5)],
        "best of two: 1/4, 1 - (3/4)², (3/4)² - 1/4",
    )
    gap = max(abs(a - float(b)) for a, b in zip(ascended(), OPTIMUM, strict=True))
    yield against(gap < 1e-9, "400 plain gradient steps, without clip or critic, end at π* to 9 digits")


is_ppo_needed

# %% [markdown]
# ## The penalty and reward hacking
#
# Say a *gibberish* answer has probability 1/101 under the reference, and the reward model overrates it by log 10⁴ against the good
# one. Without a penalty everything goes to gibberish. With it, the optimum has odds $\tfrac{1}{100}\,10^{4/\beta}$: at β = 1 the mirror
# image of the reference, 100 to 1 *for* gibberish; at β = 4, 1 to 10. The penalty bounds hacking only while
# $\beta\log(\pi_{ref}(\text{good})/\pi_{ref}(\text{bad}))$ exceeds the reward model's error.


# %%
HONEST = [ratio(100, 101), ratio(1, 101)]
FOOLED = [sympy.Integer(0), log(10**4)]


@claim(
    "theory-420",
    says="Without the KL term the policy hacks the reward; the KL penalty prevents this",
    verdict=Conditional(
        given="β log(π_ref(good)/π_ref(bad)) exceeds the reward model's error; a larger error wins against the penalty"
    ),
    about=(kl_regularised_policy, greedy_limit),
)
def reward_hacking():
    yield equal(greedy_limit(HONEST, FOOLED), [0, 1], "no penalty: all gibberish")
    yield equal(
        kl_regularised_policy(HONEST, FOOLED, 4), [ratio(10, 11), ratio(1, 11)], "β = 4: error log 10⁴ < 4 log 100"
    )
    yield equal(kl_regularised_policy(HONEST, FOOLED, 2), [ratio(1, 2)] * 2, "β = 2, the border: error = 2 log 100")
    hacked = kl_regularised_policy(HONEST, FOOLED, 1)[1]
    yield exceeds(hacked, ratio(1, 2), "β = 1, gibberish in the optimum of the penalised objective")


reward_hacking


# %%
@figure
def hacking_against_beta():
    """Gibberish that is overrated by log 10⁴: the penalty holds it back only above β = 2, where the two answers are equally likely."""
    import matplotlib.pyplot as plt
    import numpy as np

    betas = np.geomspace(0.5, 20, 200)
    fooled = [float(x) for x in FOOLED]
    share = [kl_regularised_policy([100 / 101, 1 / 101], fooled, b)[1] for b in betas]
    fig, ax = plt.subplots()
    ax.semilogx(betas, share, color=COLOURS[1], label="gibberish in $\\pi^*$")
    ax.axhline(1 / 101, color="0.4", ls=":", label="in the reference")
    ax.axvline(2, color="0.4", ls="--", lw=1)
    ax.text(2.15, 0.9, "β log 100 = log 10⁴", color="0.3")
    ax.set(
        xlabel="β", ylabel="probability", xticks=[0.5, 1, 2, 5, 10, 20], xticklabels=["0.5", "1", "2", "5", "10", "20"]
    )
    ax.minorticks_off()
    ax.legend(loc="center right")
    return fig


hacking_against_beta

# %% [markdown]
# ## The comparison
#
# ### How many models
#
# *SFT, RM, policy, ref* counts one model twice: the document itself says that supervised fine-tuning *gives* $\pi_{ref}$. PPO's fourth
# model is a critic. Four in memory is then right, for another four. And with 16 bytes for a trained parameter (half-precision weight and
# gradient, single-precision copy and two moments) and 2 for a frozen one, two trained and two frozen models are twice one and one.


# %%
@claim(
    "theory-441",
    says="RLHF needs 4 models (SFT, RM, policy, ref), DPO 2 (policy, ref)",
    verdict=Wrong(
        because="the SFT model is the reference, so the list has three; and it leaves out the critic that PPO trains",
        instead="4 for PPO: policy, critic, reward model, reference; 2 for DPO: policy, reference",
    ),
)
def models_needed():
    listed = {"SFT": "reference", "RM": "reward model", "policy": "policy", "ref": "reference"}
    yield differs(printed("4"), len(set(listed.values())), "models on the list, as line 343 names them")
    yield equal(printed("4"), len({"policy", "critic", "reward model", "reference"}), "with the critic")
    yield equal(printed("2"), len({"policy", "reference"}), "DPO")
    yield sourced("Ouyang et al. (2022), InstructGPT, appendix C.4: a value function is trained beside the policy")


models_needed


# %%
@claim(
    "theory-443",
    says="GPU memory: very high (4 models) for RLHF, moderate (2 models) for DPO",
    verdict=Holds(
        note="the four with the critic, in one size; it may be 3 without a critic, and 1 where the reference's log-probabilities are "
        "stored"
    ),
)
def memory():
    trained, frozen = 2 + 2 + 4 + 4 + 4, 2
    ppo, dpo = (
        {"policy": trained, "critic": trained, "reward": frozen, "ref": frozen},
        {"policy": trained, "ref": frozen},
    )
    yield equal([printed("4"), printed("2")], [len(ppo), len(dpo)], "models held")
    yield equal([sum(ppo.values()), sum(dpo.values())], [36, 18], "bytes for each parameter: twice as many")


memory

# %% [markdown]
# ### Who uses which
#
# The examples in the table are right. Llama 3 is partly DPO in the sense that a reward model still chose its training answers.


# %%
@claim(
    "theory-447",
    says="RLHF: Llama 2, InstructGPT; DPO: Zephyr, Llama 3 (partially)",
    verdict=Holds(note="who used what, in 2022 to 2024"),
)
def who_used_what():
    yield sourced("Ouyang et al. (2022), InstructGPT: a reward model and PPO")
    yield sourced("Touvron et al. (2023), Llama 2, §3.2: reward models, rejection sampling and PPO")
    yield sourced("Tunstall et al. (2023), Zephyr: DPO on AI feedback")
    yield sourced(
        "Dubey et al. (2024), The Llama 3 herd of models, §4.1: a reward model for rejection sampling, then DPO"
    )


who_used_what

# %% [markdown]
# # The summary: dates, settings, papers
#
# *Document `theory`, lines 424 to 474.* A table of milestones, one of usual settings, a family tree with years, and a list of papers with
# their lengths. Dates and lengths are settled by citation. Where a paper has several dates (preprint, conference, proceedings), any of
# them counts. Settings are habits; what can be computed is the column that says what each of them controls.

# %%
from fractions import Fraction
from math import log

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
    exceeds,
    printed,
    proved,
    shows,
    sourced,
)
from rlexact.exact.return_estimators import lambda_advantage_law
from rlexact.formulas.cql_bound import cql_minimiser
from rlexact.formulas.expectile import expectile_of
from rlexact.formulas.exploration import epsilon_greedy
from rlexact.formulas.kl_optimum import kl_regularised_policy
from rlexact.formulas.ppo import clipped_surrogate_gradient
from rlexact.formulas.sac_temperature import temperature_loss_gradient
from rlexact.formulas.target_network import hard_update_lag, soft_update, soft_update_half_life, soft_update_lag
from rlexact.policy import uniform

SECTION = Section("theory", "summary_dates_and_settings", "The summary: dates, settings, papers")

HALF, FIFTH = Fraction(1, 2), Fraction(1, 5)

# %% [markdown]
# ## Milestones
#
# Ten of the thirteen rows stand. Three do not. Q-learning is of 1989, its convergence proof in full of 1992. The natural policy
# gradient is of 2001. And the DQN of 2013 had networks and replay; the target network came two years later.


# %%
@claim(
    "theory-486",
    "theory-487",
    "theory-490",
    "theory-491",
    "theory-492",
    "theory-493",
    "theory-494",
    "theory-495",
    "theory-496",
    "theory-497",
    says="REINFORCE 1992, policy gradient theorem 1999, TRPO 2015, GAE 2016, PPO 2017, SAC 2018, CQL 2020, IQL and InstructGPT 2022, DPO 2023",
    verdict=Holds(
        note="years of the conference; the preprints of GAE and IQL are a year older. What CQL bounds: theory-393"
    ),
)
def milestones():
    yield sourced(
        "Williams (1992), Machine Learning 8, 229-256: REINFORCE, by the characteristic eligibility, the score"
    )
    yield sourced("Sutton, McAllester, Singh and Mansour (1999), NIPS 12, Theorem 1; proceedings printed in 2000")
    yield sourced("Schulman, Levine, Moritz, Jordan and Abbeel (2015), ICML: TRPO, a constraint on the mean KL")
    yield sourced("Schulman, Moritz, Levine, Jordan and Abbeel (2016), ICLR: GAE; preprint of 2015")
    yield sourced("Schulman, Wolski, Dhariwal, Radford and Klimov (2017), arXiv:1707.06347: PPO, its equation (7)")
    yield sourced(
        "Haarnoja, Zhou, Abbeel and Levine (2018), ICML: SAC, maximum entropy, off-policy, continuous control"
    )
    yield sourced("Kumar, Zhou, Tucker and Levine (2020), NeurIPS: CQL, Theorems 3.1 and 3.2 on lower bounds")
    yield sourced("Kostrikov, Nair and Levine (2022), ICLR: IQL by expectile regression; preprint of 2021")
    yield sourced("Ouyang et al. (2022), NeurIPS: InstructGPT")
    yield sourced("Rafailov et al. (2023), NeurIPS: DPO")


milestones


# %%
@claim(
    "theory-485",
    says="1989: Watkins, Q-learning, off-policy tabular value learning with convergence proof",
    verdict=Conditional(given="an outline counts as a proof; the thesis outlines it, the detailed proof is of 1992"),
)
def q_learning_and_its_proof():
    yield sourced(
        "Watkins (1989), Learning from Delayed Rewards, thesis, Cambridge: the algorithm, and an outline of a proof"
    )
    yield sourced("Watkins and Dayan (1992), Machine Learning 8, 279-292: the proof in detail", against=True)


q_learning_and_its_proof


# %%
@claim(
    "theory-488",
    says="2000: Kakade, natural policy gradient",
    verdict=Wrong(because="the paper is of the NIPS conference of 2001", instead="2001 (printed in 2002)"),
)
def natural_gradient():
    yield sourced(
        "Kakade, A Natural Policy Gradient, Advances in NIPS 14: the conference of December 2001", against=True
    )
    yield sourced("NIPS 14 (2001), pages 1531-1538 of the proceedings printed in 2002: the Fisher matrix as a metric")


natural_gradient


# %%
@claim(
    "theory-489",
    says="2013: Mnih et al., DQN: networks, replay buffer and target networks for Atari",
    verdict=Wrong(
        because="the paper of 2013 has no target network: its algorithm bootstraps from the network being trained",
        instead="2013: network and replay; 2015 (Nature): the target network, copied every C steps",
    ),
)
def target_networks_came_later():
    yield sourced(
        "Mnih et al. (2013), arXiv:1312.5602, Algorithm 1: one set of parameters, in target and prediction",
        against=True,
    )
    yield sourced("Mnih et al. (2015), Nature 518, Algorithm 1: a second network, reset to the first every C steps")


target_networks_came_later

# %% [markdown]
# ## The family tree
#
# Root and branches, with years. Two of them are misdated. Actor-critic methods are *older* than REINFORCE: Barto, Sutton and Anderson
# balanced a pole with one in 1983. What the years around 2000 brought is their theory. And learning from human comparisons did not
# begin with InstructGPT, the milestone of 2022.


# %%
@claim(
    "theory-508",
    "theory-509",
    "theory-511",
    "theory-512",
    says="Bellman 1957; Q-learning 1989, DQN 2013, Double DQN 2016, Rainbow 2018; DDPG 2015, TD3 2018, SAC 2018; BCQ 2019, CQL 2020, IQL 2022",
    verdict=Holds(
        note="DQN and DDPG by preprint, the others by conference; Bellman's functional equation appeared from 1952 on"
    ),
)
def branches():
    yield sourced("Bellman (1957), Dynamic Programming, Princeton; and A Markovian Decision Process, of the same year")
    yield sourced("Watkins (1989), thesis; Mnih et al. (2013), arXiv:1312.5602")
    yield sourced("van Hasselt, Guez and Silver (2016), AAAI: Double DQN; Hessel et al. (2018), AAAI: Rainbow")
    yield sourced(
        "Lillicrap et al. (2015), arXiv:1509.02971, ICLR 2016: DDPG; Fujimoto, van Hoof and Meger (2018), ICML: TD3"
    )
    yield sourced("Haarnoja et al. (2018), ICML: SAC, preprint a month before that of TD3")
    yield sourced(
        "Fujimoto, Meger and Precup (2019), ICML: BCQ; Kumar et al. (2020), NeurIPS; Kostrikov et al. (2022), ICLR"
    )


branches


# %%
@claim(
    "theory-510",
    says="Branch 2: REINFORCE (1992), then actor-critic (2000s), TRPO (2015), PPO (2017)",
    verdict=Wrong(
        because="actor-critic methods are of 1983, before REINFORCE",
        instead="actor-critic 1983, REINFORCE 1992, convergence of actor-critic around 2000, TRPO 2015, PPO 2017",
    ),
)
def actors_and_critics():
    yield sourced(
        "Barto, Sutton and Anderson (1983), IEEE Transactions SMC-13, 834-846: an actor and a critic", against=True
    )
    yield sourced(
        "Sutton (1984), thesis; Konda and Tsitsiklis (2000), NIPS 12: Actor-Critic Algorithms, with convergence"
    )
    yield sourced("Williams (1992); Schulman et al. (2015); Schulman et al. (2017)")


actors_and_critics


# %%
@claim(
    "theory-513",
    says="Branch 5, learning from human comparisons: RLHF (2022), then DPO (2023)",
    verdict=Wrong(
        because="deep RL from human comparisons is of 2017, and was applied to language models in 2019 and 2020",
        instead="RLHF 2017, for language models 2019; InstructGPT 2022; DPO 2023",
    ),
)
def comparisons():
    yield sourced(
        "Christiano et al. (2017), NIPS: Deep RL from Human Preferences, a reward model from comparisons", against=True
    )
    yield sourced(
        "Ziegler et al. (2019), arXiv:1909.08593; Stiennon et al. (2020), NeurIPS: the same for language", against=True
    )
    yield sourced("Ouyang et al. (2022), which cites these for its method; Rafailov et al. (2023)")


comparisons

# %% [markdown]
# ## Settings
#
# The ranges are habits, and most of them are to be found in the papers. "What it controls" can be tested.
#
# **PPO's ε** does not control how far the policy can change. At the first step on a batch every ratio is 1 and no sample is clipped: the step is
# the same for every ε, and as long as its step size. Two arms, old probabilities 1/5 and 4/5, advantages 4 and -1, the first probability as the
# parameter: a step of size 1/10 goes to 7/10 for ε = 0.1, 0.2 and 0.3.


# %%
def one_step(clip_eps, step=Fraction(1, 10)):
    """p after one ascent step on L^CLIP(p) from p = 1/5, with advantages 4 and -1."""
    slopes = clipped_surrogate_gradient([Fraction(1), Fraction(1)], [Fraction(4), Fraction(-1)], clip_eps)
    return FIFTH + step * (slopes[0] - slopes[1])


@claim(
    "theory-498",
    says="PPO's ε, 0.1 to 0.3, controls how far the policy can change per update",
    verdict=Wrong(
        because="the first step on a batch is the same for every ε: a ratio of 3.5 in the example, at 0.1, 0.2 and 0.3",
        instead="ε says where a sample stops pushing; how far the policy goes is up to step size and number of steps",
    ),
    about=(one_step, clipped_surrogate_gradient),
)
def what_epsilon_controls():
    ranges = [Fraction(x) for x in ("0.1", "0.2", "0.3")]
    yield equal([one_step(e) for e in ranges], [Fraction(7, 10)] * 3, "1/5 + (4 + 1)/10, whatever ε")
    yield exceeds(
        one_step(ranges[-1]), (1 + ranges[-1]) * FIFTH, "'how far it can change' at ε = 0.3: to 1.3 times 1/5"
    )
    inside, outside = (
        clipped_surrogate_gradient([r, r], [Fraction(4), Fraction(-1)], FIFTH) for r in (Fraction(1), Fraction(3, 2))
    )
    yield equal(
        [*inside, *outside], [4, -1, 0, -1], "beyond 1 + ε the good sample stops pushing; the bad one pushes back"
    )
    yield sourced("Schulman et al. (2017), table 1: clipping at 0.1, 0.2 and 0.3 compared")


what_epsilon_controls

# %% [markdown]
# **GAE's λ.** With a wrong critic, the bias of the advantage falls from λ = 0.9 to 0.99, and usually its variance rises. Here is the random
# walk of five states that pays 1 at its right end, with a critic of zeros. The rise is no law: in the two-state loop (line 34), with the
# same critic and even choices, the variance falls, because later rewards make up for earlier ones.


# %%
def bias_and_variance(model, lam):
    """Largest bias and largest variance of the λ-advantage over all pairs, under the even policy, with a critic of zeros."""
    even, zeros = uniform(model), np.array([Fraction(0)] * model.n_states)
    law, whole = (lambda_advantage_law(model, even, zeros, x) for x in (lam, Fraction(1)))
    return np.max(abs(law.mean - whole.mean)), np.max(law.variance)


@claim(
    "theory-499",
    says="GAE's λ, 0.9 to 0.99: a trade of bias against variance in estimating the advantage",
    verdict=Conditional(
        given="the critic is wrong, and later rewards do not make up for earlier ones; otherwise λ = 0.99 can be better in both"
    ),
    about=(bias_and_variance, lambda_advantage_law),
)
def what_lambda_controls():
    walk, loop = gallery.random_walk(), gallery.left_right_loop()
    bias, spread = bias_and_variance(walk, Fraction(1))
    yield equal([bias, spread], [0, Fraction(1, 4)], "λ = 1: Monte Carlo, a coin of probability 1/2 in the middle")
    low, high = (bias_and_variance(walk, Fraction(x)) for x in ("0.9", "0.99"))
    yield below(high[0], low[0], "walk: bias at 0.99 against 0.9")
    yield below(low[1], high[1], "walk: variance at 0.9 against 0.99")
    low, high = (bias_and_variance(loop, Fraction(x)) for x in ("0.9", "0.99"))
    yield below(high[0], low[0], "loop: bias at 0.99 against 0.9")
    yield against(bool(high[1] < low[1]), "loop: the variance falls as well, from 1.39 to 0.21")
    yield sourced("Schulman et al. (2016), §6: best results with λ between 0.92 and 0.99")


what_lambda_controls


# %%
@claim(
    "theory-500",
    "theory-504",
    says="PPO's epochs K, 3 to 10, are passes over each batch; DQN's target is frozen for 1,000 to 10,000 steps at a time",
    verdict=Holds(note="the PPO paper has 15 as well; DQN's 10,000 are parameter updates in the paper's table"),
    about=hard_update_lag,
)
def passes_and_periods():
    yield sourced("Schulman et al. (2017), tables 3, 4 and 5: 10, 15 and 3 epochs")
    yield sourced("Mnih et al. (2015), Extended Data Table 1: target network update frequency 10,000")
    lags = [hard_update_lag(Fraction(every)) for every in (1000, 10_000)]
    yield equal(lags, [Fraction(999, 2), Fraction(9999, 2)], "mean age of such a target: (K - 1)/2")


passes_and_periods

# %% [markdown]
# **SAC's α** is tuned by descent on $\alpha(H - \bar H)$: down where the policy is more random than its target, up where it is less. **SAC's τ** of
# 0.005 makes the target a mean of the past with an average age of 199 updates.


# %%
@claim(
    "theory-501",
    "theory-502",
    says="SAC: α is tuned automatically and balances exploration by entropy; τ = 0.005 sets how fast targets track the online network",
    verdict=Holds(note="the first SAC paper fixed α by a reward scale; tuning is of the second, also 2018"),
    about=(temperature_loss_gradient, soft_update, soft_update_lag, soft_update_half_life),
)
def settings_of_sac():
    slopes = temperature_loss_gradient(HALF, [Fraction(5), Fraction(10)], Fraction(-7))
    yield equal(slopes, [2, -3], "entropies -5 and -10, target -7: H - H̄; descent lowers α, then raises it")
    tau = printed("0.005").value
    yield equal(soft_update(Fraction(0), Fraction(8), tau), Fraction(1, 25), "one update: 0.5 % of the way from 0 to 8")
    yield equal(soft_update_lag(tau), 199, "mean age (1 - τ)/τ")
    yield close(soft_update_half_life(0.005), log(2) / -log(0.995), 1e-9, "two roundings", "half of the way")
    yield sourced("Haarnoja et al. (2018), Soft Actor-Critic, table 1: target smoothing coefficient 0.005")


settings_of_sac


# %%
@claim(
    "theory-503",
    says="DQN's ε: random action probability, annealed from 1.0 to 0.01",
    verdict=Conditional(given="the settings of Double DQN and later; both DQN papers stop at 0.1"),
    about=epsilon_greedy,
)
def exploration_of_dqn():
    q = [Fraction(x) for x in (2, 5, 3, 1)]
    chances = [epsilon_greedy(q, Fraction(e))[1] for e in ("1", "0.1", "0.01")]
    yield equal(
        chances, [Fraction(1, 4), Fraction(37, 40), Fraction(397, 400)], "the best of four actions: 1 - ε + ε/4"
    )
    yield sourced("van Hasselt, Guez and Silver (2016), tuned Double DQN: ε reduced to 0.01")
    yield sourced("Mnih et al. (2013), §5, and (2015), Extended Data Table 1: from 1 to 0.1", against=True)


exploration_of_dqn

# %% [markdown]
# **IQL's τ**: higher is closer to the maximum, here for the four action values of line 333. **CQL's α**: the larger, the lower the values of
# actions that the data show less than μ takes them. **DPO's β** works backwards: it is a price, and the *smaller* it is the further
# the policy goes.


# %%
@claim(
    "theory-505",
    "theory-506",
    "theory-507",
    says="IQL's τ, .7 to .99: closer to the max; CQL's α, .5 to 10: conservatism; DPO's β, .05 to .5: deviation from the reference",
    verdict=Holds(note="β inversely; α in a table, or where little is shared"),
    about=(expectile_of, cql_minimiser, kl_regularised_policy),
)
def three_knobs():
    four = [Fraction(x) for x in (2, 5, 3, 8)]
    found = [expectile_of(four, Fraction(t)) for t in ("0.7", "0.9", "0.99")]
    yield equal(found, [Fraction(43, 8), Fraction(41, 6), Fraction(401, 51)], "τ (8 - m) = (1 - τ)(3m - 10)")
    yield shows(found[0] < found[1] < found[2] < 8, "rising towards the maximum, 8")
    backups, mu, even = (np.array([x]) * Fraction(1, 6) for x in ([36, 18], [2, 4], [3, 3]))
    lowered = [cql_minimiser(backups, mu, even, Fraction(a))[0, 1] for a in ("0.5", "5", "10")]
    yield equal(
        lowered, [Fraction(17, 6), Fraction(4, 3), -Fraction(1, 3)], "a backup of 3, taken by μ 4/3 as often: 3 - α/3"
    )
    half = sympy.Rational(1, 2)
    reward = [[sympy.log(3) / 2, sympy.S.Zero]]
    odds = [kl_regularised_policy([[half, half]], reward, sympy.Rational(*b))[0] for b in ((1, 2), (1, 20))]
    yield proved(odds[0][0] - sympy.Rational(3, 4), "β = .5: odds 3 to 1, from even ones")
    yield proved(odds[1][0] - sympy.Rational(3**10, 3**10 + 1), "β = .05: odds 3^10 to 1")


three_knobs

# %% [markdown]
# ## Seven papers and their lengths
#
# Proceedings have page numbers, preprints have appendices. Counted either way, two of the seven lengths agree. The pages of
# proceedings and journals are computed from their first and last; the lengths of preprints are cited, not counted again.


# %%
def pages(first, last):
    """How many pages from `first` to `last`."""
    return last - first + 1


@claim(
    "theory-515",
    "theory-516",
    says="TRPO has 16 pages, PPO 12",
    verdict=Holds(note="the preprints; TRPO takes 9 pages of the proceedings"),
)
def two_lengths():
    yield sourced("arXiv:1502.05477, comment of the authors: 16 pages, ICML 2015")
    yield sourced("arXiv:1707.06347v2: 12 pages, appendices included")


two_lengths


# %%
@claim(
    "theory-514",
    says="Sutton et al. (1999) has 8 pages",
    verdict=Wrong(because="it takes pages 1057 to 1063 of NIPS 12", instead="7 pages"),
    about=pages,
)
def length_of_sutton():
    yield differs(printed("8"), pages(1057, 1063), "NIPS 12")
    yield equal(pages(1057, 1063), 7)


length_of_sutton


# %%
@claim(
    "theory-517",
    says="Haarnoja et al. (2018), Soft Actor-Critic, has 13 pages",
    verdict=Wrong(
        because="it takes pages 1861 to 1870 of the proceedings; with its appendices the preprint is longer than 13",
        instead="10 pages in the proceedings, 14 as a preprint with appendices",
    ),
    about=pages,
)
def length_of_sac():
    yield differs(printed("13"), pages(1861, 1870), "PMLR 80")
    yield equal(pages(1861, 1870), 10)
    yield sourced("arXiv:1801.01290v2: 14 pages")


length_of_sac


# %%
@claim(
    "theory-518",
    says="Mnih et al. (2015), Nature, has 10 pages",
    verdict=Wrong(
        because="it takes pages 529 to 533 of volume 518", instead="5 pages, with methods and extended data online"
    ),
    about=pages,
)
def length_of_dqn():
    yield differs(printed("10"), pages(529, 533), "Nature 518")
    yield equal(pages(529, 533), 5)


length_of_dqn


# %%
@claim(
    "theory-519",
    says="Levine et al. (2020), the tutorial on offline RL, has 55 pages",
    verdict=Wrong(because="the preprint, the only form it has, is shorter", instead="43 pages, references included"),
)
def length_of_levine():
    yield sourced("arXiv:2005.01643v3 ends on page 43", against=True)
    yield sourced("arXiv:2005.01643v3: 43 pages")


length_of_levine


# %%
@claim(
    "theory-520",
    says="Rafailov et al. (2023), DPO, has 29 pages",
    verdict=Wrong(
        because="it takes pages 53728 to 53741 of NeurIPS 36; the preprint with its appendices has fewer than 29",
        instead="14 pages in the proceedings, 27 as a preprint",
    ),
    about=pages,
)
def length_of_dpo():
    yield differs(printed("29"), pages(53728, 53741), "NeurIPS 36")
    yield equal(pages(53728, 53741), 14)
    yield sourced("arXiv:2305.18290v3: 27 pages, appendices included")


length_of_dpo

# %% [markdown]
# The document ends with a sentence by Feynman, and the attribution is right: it stood on his blackboard when he died.


# %%
@claim("theory-521", says="The sentence about creating and understanding is Feynman's", verdict=Holds())
def on_the_blackboard():
    yield sourced("Caltech Archives, photograph of Richard Feynman's blackboard, February 1988")


on_the_blackboard

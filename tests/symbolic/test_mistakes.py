"""Named mistakes that people make with these formulas: each is refuted at a rational point, the right form is not."""

import pytest
import sympy

from rlexact.symbolic import (
    baseline,
    bellman,
    beta,
    divergence,
    evolution,
    expectile,
    gae,
    gaussian,
    lambda_operator,
    policy_gradient,
    preference,
    score,
    sensitivity,
    soft,
    softmax,
    trust_region,
)
from rlexact.symbolic.notation import beta as kl_weight
from rlexact.symbolic.notation import gamma, lam, mean, tau
from rlexact.symbolic.small_model import S, mixed, model, mu, pi, pi_new

HALF = sympy.Rational(1, 2)
n = divergence.N


def undiscounted_states():
    q, d = model.action_value(pi), [1, 1]
    return sum(d[s] * mixed(policy_gradient.change, q, s) for s in S)


def occupancy_of_the_old_policy():
    d, adv = model.visits(pi), model.advantage(pi)
    return sum(d[s] * mixed(pi_new, adv, s) for s in S)


def rewards_to_go_without_discount():
    total = 0
    for w, s, a in policy_gradient.paths():
        r = [model.r[x, y] for x, y in zip(s, a, strict=True)]
        total += w * (
            policy_gradient.score[s[0], a[0]] * (r[0] + gamma * r[1]) + policy_gradient.score[s[1], a[1]] * r[1]
        )
    return total


MISTAKES = {
    "visits without γ": (policy_gradient.policy_gradient_theorem, undiscounted_states),
    "old occupancy": (policy_gradient.performance_difference, occupancy_of_the_old_policy),
    "reward-to-go drops γ^t": (policy_gradient.policy_gradient_with_reward_to_go, rewards_to_go_without_discount),
    "flow not transposed": (
        bellman.flow_of_visits,
        lambda: mu + gamma * model.kernel(pi) * model.visits(pi),
    ),
    "visits sum to one": (bellman.total_of_visits, lambda: 1),
    "dV/dγ without P": (
        sensitivity.derivative_in_the_discount,
        lambda: model.resolvent(pi) * model.value(pi),
    ),
    "score without the baseline π": (softmax.softmax_score, lambda: sympy.eye(3)),
    "score of the mean over σ": (
        gaussian.gaussian_score,
        lambda: gaussian.gaussian_score().right.subs(gaussian.s**2, gaussian.s),
    ),
    "KL the other way": (
        gaussian.gaussian_kl,
        lambda: gaussian.gaussian_kl().right.subs(
            {gaussian.s: gaussian.s2, gaussian.s2: gaussian.s}, simultaneous=True
        ),
    ),
    "entropy without e": (gaussian.gaussian_entropy, lambda: sympy.log(2 * sympy.pi * gaussian.s**2) / 2),
    "n-D KL without - n": (gaussian.full_gaussian_kl, lambda: gaussian.full_gaussian_kl().right + 1),
    "tanh without factor 2": (gaussian.tanh_correction, lambda: gaussian.tanh_correction().right / 2),
    "Beta entropy with ψ(a+b) (a+b)": (
        beta.beta_entropy,
        lambda: beta.beta_entropy().right + 2 * sympy.digamma(beta.a + beta.b),
    ),
    "batch mean is unbiased": (baseline.batch_mean_baseline_shrinks_the_gradient, lambda: baseline.GRADIENT),
    "best baseline is the value": (
        baseline.slope_of_the_variance,
        lambda: 2 * mean(baseline.any_p, baseline.squares) * (baseline.b - mean(baseline.any_p, baseline.q)),
    ),
    "GAE with γ for γλ": (gae.gae_recursion, lambda: gae.gae_recursion().right.subs(lam, 1)),
    "λ-return without (1 - λ)": (
        gae.lambda_return_is_value_plus_gae,
        lambda: sum(lam ** (k - 1) * gae.n_step_return(k) for k in range(1, gae.N + 1)),
    ),
    "λ-return loses its tail": (
        gae.lambda_weights_sum_to_one,
        lambda: (1 - lam) * sum(lam ** (k - 1) for k in range(1, gae.N + 1)),
    ),
    "T^λ is T": (
        lambda_operator.lambda_operator_recursion,
        lambda: lambda_operator.backup(lambda_operator.v),
    ),
    "importance sampling counts the chance twice": (
        score.importance_sampling,
        lambda: mean(score.p, [x * w for x, w in zip(score.f, score.p, strict=True)]),
    ),
    "k3 estimates the KL the other way": (
        divergence.k3_is_unbiased,
        lambda: divergence.kl_of(divergence.p, divergence.q),
    ),
    "JS without halves": (
        divergence.jensen_shannon_by_entropies,
        lambda: divergence.entropy_of(divergence.m) - divergence.entropy_of(divergence.p),
    ),
    "KL to uniform is - H": (divergence.kl_to_the_uniform, lambda: -divergence.entropy_of(divergence.p)),
    "DPO gradient weighs by σ(u)": (
        preference.dpo_moves_two_logits,
        lambda: [sign * kl_weight * preference.sigmoid_of(preference.margin(preference.pi)) for sign in (-1, 1, 0)],
    ),
    "DPO without β": (preference.dpo_gradient, lambda: preference.dpo_gradient().right / kl_weight),
    "DPO swaps the answers": (
        preference.dpo_derivation,
        lambda: sympy.log(preference.sigmoid_of(-preference.margin(preference.optimum))),
    ),
    "Bradley-Terry swapped": (
        preference.bradley_terry,
        lambda: preference.sigmoid_of(preference.r[1] - preference.r[0]),
    ),
    "multiplier without - 1": (
        soft.kl_regularised_multiplier,
        lambda: [kl_weight * sympy.log(soft.normaliser)] * 3,
    ),
    "log-mean-exp for log-sum-exp": (
        soft.soft_value_of_the_soft_policy,
        lambda: soft.soft_value - tau * sympy.log(3),
    ),
    "natural gradient without F": (trust_region.natural_gradient_invariance, lambda: trust_region.g),
    "expectile with κ and 1 - κ swapped": (
        expectile.expectile_of_two_outcomes,
        lambda: expectile.expectile_of_two_outcomes().right.subs(expectile.kappa, 1 - expectile.kappa),
    ),
    "NES without 1/σ": (
        evolution.evolution_gradient,
        lambda: evolution.evolution_gradient().right * evolution.s,
    ),
    "antithetic with 1/σ": (
        evolution.antithetic_evolution_gradient,
        lambda: evolution.antithetic_evolution_gradient().right * 2,
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_mistake_is_refuted(name):
    right, wrong = MISTAKES[name]
    mistaken = right().with_right(wrong())
    assert mistaken.refuted_at(seed=0) is not None
    assert right().refuted_at(seed=0) is None

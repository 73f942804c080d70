"""n-step returns, λ-returns and GAE(λ) for any given v: exact mean and variance, with no path and with no horizon.

    δ_t = r_t + γ v(s_{t+1}) - v(s_t)                                               [R1]  td_error
    Â_T(λ) = Σ_{l<T} (γλ)^l δ_{t+l}                                                 [R2]  lambda_advantage
    G_T(λ) = v(s_t) + Â_T(λ),   n-step return = G_n(1)                              [R3]  lambda_return

    Â = δ + κ Â',  κ = γλ:   a(s, a) = E[δ + κ a(s')],
                             u(s, a) = E[(δ + κ a(s') - a(s, a))²] + κ² E[u(s')]    [R4]  lambda_advantage_law

[R3] estimates V^π(s), [R2] A^π(s, a); with v = V^π neither has bias (once nothing stands behind the horizon that v does not
know). λ = 0 trusts v for all but one reward; λ = 1 with no horizon is the return and forgets v. Each step of [R4] gives one
step more of the horizon; without one it is two linear solves. λ may be a symbol in a symbolic model: moments are then
polynomials in λ for a horizon, and rational functions without. A path cut by the horizon bootstraps from v, one that ends
does not. Sutton and Barto (2018), (7.1), (12.3); Schulman et al. (2016), (16). Variances are of centred quantities: nothing
large is subtracted.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.bellman import checked_v
from rlexact.exact.chain import closed_classes, named
from rlexact.exact.estimator_law import EstimatorLaw
from rlexact.exact.evaluation import advantage, policy_value
from rlexact.exact.moments import StepLaw
from rlexact.exact.paths import Path, checked_steps
from rlexact.mdp import MDP

# -- functions of a path ----------------------------------------------------------------------------------------------


def td_error(mdp: MDP, v: Array) -> Callable[[Path, int], Any]:
    """(path, t) -> δ_t [R1], 0 after the end."""
    values = critic(mdp, v)

    def at(path: Path, t: int) -> Any:
        if t >= len(path.actions):
            return 0 * mdp.gamma
        following = values[path.states[t + 1]] if t + 1 < len(path.states) else 0
        return path.rewards[t] + mdp.gamma * following - values[path.states[t]]

    return at


def lambda_advantage(mdp: MDP, v: Array, lam: Any) -> Callable[[Path, int], Any]:
    """(path, t) -> Â_t [R2], GAE(λ) from step t of the path to its end or its cut."""
    delta, kappa = td_error(mdp, v), trace(mdp, lam)

    def at(path: Path, t: int) -> Any:
        return sum((kappa**k * delta(path, t + k) for k in range(len(path.actions) - t)), start=0 * mdp.gamma)

    return at


def lambda_return(mdp: MDP, v: Array, lam: Any) -> Callable[[Path, int], Any]:
    """(path, t) -> G_t(λ) [R3], the mixture of n-step returns written without TD errors, for t within the path.

    (1 - λ) Σ_{1≤n<N} λ^{n-1} G^{(n)} + λ^{N-1} G^{(N)} with N the steps left, G^{(n)} the n-step return.
    """
    values, weight = critic(mdp, v), checked_lambda(mdp, lam)

    def n_step(path: Path, t: int, n: int) -> Any:
        rewards = sum(mdp.gamma**k * r for k, r in enumerate(path.rewards[t : t + n]))
        return rewards + (mdp.gamma**n * values[path.states[t + n]] if t + n < len(path.states) else 0)

    def at(path: Path, t: int) -> Any:
        last = len(path.actions) - t
        mixed = ((1 - weight) * weight ** (n - 1) * n_step(path, t, n) for n in range(1, last))
        return sum(mixed, start=0 * mdp.gamma) + weight ** max(last - 1, 0) * n_step(path, t, last)

    return at


# -- laws without paths -----------------------------------------------------------------------------------------------


def lambda_advantage_law(mdp: MDP, policy: Array, v: Array, lam: Any, steps: int | None = None) -> EstimatorLaw:
    """Mean, variance and bias of GAE(λ) given its first state and action [R4]: (S, A), (S,) -> law of (S, A).

    The target is A^π of the model without horizon, whatever the number of steps; no `steps` means no horizon here either.
    Raises `InvalidPolicy` where A^π is not finite, and where γλ = 1 without `steps` and the policy does not end.
    """
    if steps is None:
        mean, variance = advantage_law_forever(mdp, policy, v, lam)
    else:
        mean, variance = advantage_laws(mdp, policy, v, lam, checked_steps(steps))[-1]
    return EstimatorLaw(mean, variance, advantage(mdp, policy))


def lambda_return_law(mdp: MDP, policy: Array, v: Array, lam: Any, steps: int | None = None) -> EstimatorLaw:
    """Mean, variance and bias of the λ-return from each state [R3]: (S, A), (S,) -> law of (S,), its target V^π.

    Raises as `lambda_advantage_law`.
    """
    law = lambda_advantage_law(mdp, policy, v, lam, steps)
    mean, variance = over_actions_law(mdp.admit(policy), law.mean, law.variance)
    return EstimatorLaw(ar.tidy(critic(mdp, v) + mean), variance, policy_value(mdp, policy))


def n_step_return_law(mdp: MDP, policy: Array, v: Array, n: int) -> EstimatorLaw:
    """Mean, variance and bias of the n-step return from each state [R3]: (S, A), (S,) -> law of (S,), its target V^π."""
    return lambda_return_law(mdp, policy, v, 1, n)


def advantage_laws(mdp: MDP, policy: Array, v: Array, lam: Any, steps: int) -> list[tuple[Array, Array]]:
    """(mean, variance) of Â_0 = 0, Â_1, ..., Â_steps given the first state and action [R4]: two of (S, A) each."""
    pi, law, kappa, values = mdp.admit(policy), StepLaw(mdp), trace(mdp, lam), critic(mdp, v)
    found = [(ar.zeros(mdp.r, mdp.r.shape),) * 2]
    for _ in range(steps):
        found.append(one_step_earlier(mdp, law, values, kappa, *over_actions_law(pi, *found[-1])))
    return found


def advantage_law_forever(mdp: MDP, policy: Array, v: Array, lam: Any) -> tuple[Array, Array]:
    """The fixed point of [R4]: a = (I - κ P_π)⁻¹ E δ, u = (I - κ² P_π)⁻¹ (what one step adds)."""
    pi, law, kappa, values = mdp.admit(policy), StepLaw(mdp), trace(mdp, lam), critic(mdp, v)
    if kappa == 1 and (traps := closed_classes(mdp, pi)):
        raise InvalidPolicy(
            f"gamma = lam = 1 and the policy never leaves {named(mdp, traps[0])}: the sum has no end. Give steps=, a lam "
            "below 1, or a policy that ends"
        )
    P, nothing = ar.mix(pi, mdp.kernel), ar.zeros(mdp.r, mdp.n_states)
    first, _ = one_step_earlier(mdp, law, values, kappa, nothing, nothing)
    a = ar.solve(ar.eye(P) - kappa * P, ar.average(pi, first))
    _, added = over_actions_law(pi, *one_step_earlier(mdp, law, values, kappa, a, nothing))
    u = ar.solve(ar.eye(P) - kappa * kappa * P, added)
    return one_step_earlier(mdp, law, values, kappa, a, u)


def one_step_earlier(mdp: MDP, law: StepLaw, v: Array, kappa: Any, a: Array, u: Array) -> tuple[Array, Array]:
    """[R4]: a, u of (S,) -> mean and variance of (S, A)."""
    delta = law.rewards + mdp.gamma * successor(law, v) - v[law.rows // mdp.n_actions]
    total = delta + kappa * successor(law, a)
    mean = mean_step(mdp, law, total)
    off = total - mean[law.rows]
    variance = mean_step(mdp, law, off * off + kappa * kappa * successor(law, u))
    return mean.reshape(mdp.r.shape), variance.reshape(mdp.r.shape)


def over_actions_law(policy: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
    """The law of total variance over actions: (S, A), (S, A) -> (S,), (S,)."""
    average = ar.average(policy, mean)
    off = mean - average[:, None]
    return average, ar.average(policy, variance + off * off)


def mean_step(mdp: MDP, law: StepLaw, x: Array) -> Array:
    """Σ over the outcomes of each pair of p · x: one entry per outcome (n, ...) -> (S·A, ...)."""
    total = ar.zeros(mdp.r, (mdp.r.size, *x.shape[1:]))
    np.add.at(total, law.rows, law.p.reshape(-1, *[1] * (x.ndim - 1)) * x)
    return ar.tidy(total)


def successor(law: StepLaw, x: Array) -> Array:
    """x(s') of every outcome, 0 where the episode is over: (S, ...) -> (n, ...)."""
    over = (law.following < 0).reshape(-1, *[1] * (x.ndim - 1))
    return np.where(over, 0 * x[:1], x[law.following])


# -- what is handed in ------------------------------------------------------------------------------------------------


def critic(mdp: MDP, v: Array) -> Array:
    """v (S,) in the model's numbers.  Raises `ValueError` where it is not 0 at a terminal state."""
    values = checked_v(mdp, v)
    if (late := mdp.terminal & ar.apart(values, 0)).any():
        s = int(np.flatnonzero(late)[0])
        raise ValueError(f"v[{s}] = {values[s]} at a terminal state, where nothing follows: give 0 there")
    return values


def trace(mdp: MDP, lam: Any) -> Any:
    """κ = γλ."""
    return mdp.gamma * checked_lambda(mdp, lam)


def checked_lambda(mdp: MDP, lam: Any) -> Any:
    value = mdp.beside("lam", lam)
    both = np.array([value[()], 1 - value[()]])
    if value.ndim or not ar.finite(both).all() or ar.negative(both).any():
        raise ValueError(f"lam = {lam} lies outside [0, 1]")
    return value[()]

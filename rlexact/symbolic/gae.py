"""Generalised advantage estimation on one stretch of free numbers.

    δ_t = r_t + γ v_{t+1} - v_t               A_t = Σ_l (γ λ)^l δ_{t+l} = δ_t + γ λ A_{t+1}                  [A1]
    Σ_l γ^l δ_{t+l} = Σ_l γ^l r_{t+l} + γ^n v_{t+n} - v_t                                                  [A2]
    λ = 0: A_t = δ_t        λ = 1: the n-step return minus v_t                                             [A3]
    A_t = (1 - λ) Σ_{n<N} λ^{n-1} A_t^(n) + λ^{N-1} A_t^(N),  A_t^(n) the n-step advantage                    [A4]

Rewards r_0 … r_3 and values v_0 … v_4, every number free, neither limit taken numerically.  Schulman et al. (2016), (11)-(18).
"""

from typing import Any

from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import gamma, lam, mean, reals

N = 4
r, v = reals("r", N), reals("v", N + 1)
delta = [r[t] + gamma * v[t + 1] - v[t] for t in range(N)]
SCHULMAN = "Schulman et al. (2016), "
STRETCH = f"{N} steps"


def powers(x: Any, n: int) -> list[Any]:
    return [x**k for k in range(n)]


def gae(t: int) -> Any:
    """Σ_l (γ λ)^l δ_{t+l}."""
    return mean(powers(gamma * lam, N - t), delta[t:])


def n_step_return(n: int) -> Any:
    """Σ_{l<n} γ^l r_l + γ^n v_n."""
    return mean(powers(gamma, n), r[:n]) + gamma**n * v[n]


def mixture(f: Any) -> Any:
    """(1 - λ) Σ_{n<N} λ^{n-1} f(n) + λ^{N-1} f(N)."""
    return (1 - lam) * sum(lam ** (n - 1) * f(n) for n in range(1, N)) + lam ** (N - 1) * f(N)


@identity(r"\sum_l \gamma^l\delta_l = \sum_l \gamma^l r_l + \gamma^n v_n - v_0", SCHULMAN + "(14)", STRETCH)
def residuals_telescope() -> Any:
    return mean(powers(gamma, N), delta), n_step_return(N) - v[0]


@identity(r"A_t = \delta_t + \gamma\lambda A_{t+1}", SCHULMAN + "(16)", STRETCH)
def gae_recursion() -> Any:
    return [gae(t) for t in range(N - 1)], [delta[t] + gamma * lam * gae(t + 1) for t in range(N - 1)]


@identity(r"A^{\lambda=0} = \delta_0", SCHULMAN + "(17)", STRETCH)
def gae_without_trace() -> Any:
    return gae(0).subs(lam, 0), delta[0]


@identity(r"A^{\lambda=1} = \sum_l\gamma^l r_l + \gamma^n v_n - v_0", SCHULMAN + "(18)", STRETCH)
def gae_with_full_trace() -> Any:
    return gae(0).subs(lam, 1), n_step_return(N) - v[0]


@identity(r"A = (1-\lambda)\sum_{n<N}\lambda^{n-1}A^{(n)} + \lambda^{N-1}A^{(N)}", SCHULMAN + "(16)", STRETCH)
def gae_averages_n_step_advantages() -> Any:
    return gae(0), mixture(lambda n: n_step_return(n) - v[0])


@identity(r"G^\lambda = v_0 + A^\lambda", "Sutton and Barto (2018), §12.1", STRETCH)
def lambda_return_is_value_plus_gae() -> Any:
    return mixture(n_step_return), v[0] + gae(0)


@identity(
    r"G_t^\lambda = r_t + \gamma\left((1-\lambda)v_{t+1} + \lambda G_{t+1}^\lambda\right)",
    "Sutton and Barto (2018), (12.18)",
    STRETCH,
)
def lambda_return_recursion() -> Any:
    """Backwards from G = v at the end of the stretch."""
    g = v[N]
    for t in reversed(range(N)):
        g = r[t] + gamma * ((1 - lam) * v[t + 1] + lam * g)
    return mixture(n_step_return), g


@identity(r"(1-\lambda)\sum_{n<N}\lambda^{n-1} + \lambda^{N-1} = 1", "Sutton and Barto (2018), §12.1", STRETCH)
def lambda_weights_sum_to_one() -> Any:
    return mixture(lambda n: 1), 1

"""Identities and inequalities with their assumptions, and the proof that left - right is zero.

A statement is an object. `proved` brings its residual to a normal form; `refuted_at` and `agrees_at` evaluate both sides at
random rational points, exactly or in rigorous intervals; `statements` returns all of them by name.

    >>> from rlexact.symbolic.gae import residuals_telescope
    >>> statement = residuals_telescope()
    >>> statement.proved(), statement.residual(), statement.refuted_at(seed=0)
    (True, 0, None)
    >>> statement.with_right(-statement.right).refuted_at(seed=0) is None
    False
"""

from collections.abc import Callable
from importlib import import_module

from rlexact.symbolic.identity import CATALOGUE, Identity, Inequality, Witness, identity, inequality
from rlexact.symbolic.normal_form import normal_form

ROOMS = (
    "bellman",
    "policy_gradient",
    "sensitivity",
    "score",
    "baseline",
    "softmax",
    "log_sum_exp",
    "soft",
    "gae",
    "lambda_operator",
    "convexity",
    "divergence",
    "concentration",
    "gaussian",
    "beta",
    "reparameterisation",
    "evolution",
    "preference",
    "trust_region",
    "expectile",
)


def statements() -> dict[str, Callable[[], Identity]]:
    """Every statement of this room by its function's name; each is built when called."""
    for room in ROOMS:
        import_module(f"rlexact.symbolic.{room}")
    return dict(CATALOGUE)


__all__ = ["Identity", "Inequality", "Witness", "identity", "inequality", "normal_form", "statements"]

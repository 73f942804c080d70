"""Solvers against what a user would write, side by side in one run: `python benchmarks/solvers.py [turns]`.

Each row interleaves ours and theirs, turn by turn, and prints the median of the ratios (ours / theirs), which holds when the
machine's speed drifts. Both must meet the same tolerance; ours also proves that it did.
"""

import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse

from rlexact import gallery
from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.value_iteration import modified_policy_iteration
from rlexact.mdp import MDP
from rlexact.policy import uniform

TOLERANCE = 1e-8


def seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def compare(name: str, ours: Callable[[], Any], theirs: Callable[[], Any], turns: int) -> None:
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(turns)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{name:66} {mine * 1e3:10.2f} ms {other * 1e3:10.2f} ms   ratio {ratio:6.2f}")


def plain_policy_iteration(P: np.ndarray, r: np.ndarray, gamma: float) -> np.ndarray:
    """Policy iteration as in a textbook, NumPy only."""
    n = P.shape[0]
    actions = np.zeros(n, dtype=int)
    while True:
        v = np.linalg.solve(np.eye(n) - gamma * P[np.arange(n), actions], r[np.arange(n), actions])
        better = (r + gamma * P @ v).argmax(axis=1)
        if (better == actions).all():
            return v
        actions = better


def plain_value_iteration(kernel: Any, r: np.ndarray, gamma: float) -> np.ndarray:
    """Value iteration that stops when the sup-norm bound γ/(1-γ)·change meets the tolerance."""
    v = np.zeros(r.shape[0])
    while True:
        following = (r + gamma * (kernel @ v).reshape(r.shape)).max(axis=1)
        change = abs(following - v).max()
        v = following
        if change * gamma / (1 - gamma) <= TOLERANCE:
            return v


def gauss(P: list[list[Fraction]], r: list[Fraction], gamma: Fraction) -> list[Fraction]:
    """(I - γP)⁻¹ r by elimination on Fractions."""
    n = len(r)
    rows = [[(i == j) - gamma * P[i][j] for j in range(n)] + [r[i]] for i in range(n)]
    for i in range(n):
        pivot = rows[i][i]
        rows[i] = [x / pivot for x in rows[i]]
        for k in range(n):
            if k != i and rows[k][i]:
                factor = rows[k][i]
                rows[k] = [x - factor * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def dense_backup_of_fractions(P: np.ndarray, r: np.ndarray, gamma: Fraction, v: np.ndarray) -> np.ndarray:
    return r + gamma * (P.reshape(-1, P.shape[2]) @ v).reshape(r.shape)


def main(turns: int) -> None:
    print(f"{'':66} {'ours':>13} {'theirs':>13}")
    for n in (100, 500):
        mdp = gallery.garnet(n, 4, n // 2, seed=0, gamma=0.99).to_dense()
        P, r = np.array(mdp.P), np.array(mdp.r)
        name = f"dense policy iteration, S = {n}, A = 4, certified / textbook"
        compare(name, lambda m=mdp: policy_iteration(m), lambda P=P, r=r: plain_policy_iteration(P, r, 0.99), turns)
    for n in (10_000, 100_000):
        mdp = gallery.garnet(n, 4, 5, seed=0, gamma=0.99, sparse=True)
        kernel, r = scipy.sparse.csr_array(mdp.kernel), np.array(mdp.r)
        name = f"sparse garnet, S = {n}, A = 4, 1e-8 certified / plain value iteration"
        few = min(turns, 3 if n < 50_000 else 1)
        compare(
            name,
            lambda m=mdp: modified_policy_iteration(m, tol=TOLERANCE),
            lambda k=kernel, r=r: plain_value_iteration(k, r, 0.99),
            few,
        )
    mdp = gallery.garnet(60, 3, 4, seed=0, gamma=Fraction(9, 10), exact=True)
    policy = uniform(mdp)
    P, r = mdp.under(policy)
    table, rewards = P.to_array().tolist(), list(r)
    name = "rational policy evaluation, S = 60: FLINT / elimination on Fractions"
    compare(name, lambda: policy_value(mdp, policy), lambda: gauss(table, rewards, Fraction(9, 10)), turns)
    large: MDP = gallery.garnet(200, 4, 4, seed=0, gamma=Fraction(9, 10), exact=True)
    v = policy_value(large, uniform(large))
    dense, r = np.array(large.P), np.array(large.r)
    name = "one rational backup, S = 200, A = 4, long v: FLINT / object array"
    compare(
        name, lambda: backup(large, v), lambda: dense_backup_of_fractions(dense, r, Fraction(9, 10), v), min(turns, 1)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

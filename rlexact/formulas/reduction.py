"""How per-sample numbers become one: a closed list, each a set of weights.

    none                     the numbers themselves
    sum                      w = 1
    mean                     w = 1 / N                                  N samples
    token_mean               w = 1 / Σ_b n_b                            n_b tokens that count in sequence b of B
    seq_mean_token_sum       w = 1 / B
    seq_mean_token_mean      w = 1 / (B n_b)
    seq_mean_token_sum_norm  w = 1 / (B L)                              L a fixed length

The last four read axis 0 as sequences and axis 1 as tokens; they differ as soon as lengths do (10/3 against 6 on one batch).
Sources: DAPO (Yu et al. 2025), §3.3 for token_mean; GRPO (Shao et al. 2024), (3) for seq_mean_token_mean; Dr. GRPO (Liu et
al. 2025), §3.2 for the fixed length. A gradient is reduced by the same weights.
"""

from typing import Any, Literal, get_args

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags

Reduction = Literal[
    "none", "sum", "mean", "token_mean", "seq_mean_token_sum", "seq_mean_token_mean", "seq_mean_token_sum_norm"
]


def reduce(losses: Array, reduction: Reduction = "none", mask: Any = None, length: int | None = None) -> Any:
    """(N, ...) per-sample numbers -> one number, or the numbers themselves with "none" (zero where the mask is False).

        Σ w · loss

    `mask` is a boolean array of the samples that count; `length` is L. Raises `InvalidBatch` for a name outside the list,
    for a mask without any True, and for a sequence without tokens under "seq_mean_token_mean".
    Source: Yu et al. (2025), "DAPO", §3.3; Shao et al. (2024), (3); Liu et al. (2025), "Dr. GRPO", §3.2.

    >>> losses, counts = np.array([[1.0, 3.0], [5.0, 0.0]]), [[True, True], [True, False]]
    >>> [float(reduce(losses, how, counts)) for how in ("token_mean", "seq_mean_token_mean", "seq_mean_token_sum")]
    [3.0, 3.5, 4.5]
    """
    weighted = np.asarray(losses) * weights(losses, reduction, mask, length)
    return weighted if reduction == "none" else np.asarray(weighted.sum())[()]


def weights(losses: Array, reduction: Reduction = "none", mask: Any = None, length: int | None = None) -> Array:
    """(N, ...) -> (N, ...): what each sample counts, in the numbers of `losses`; d reduced / d loss."""
    if reduction not in get_args(Reduction):
        raise InvalidBatch(f"reduction = {reduction!r}: give one of {', '.join(get_args(Reduction))}")
    losses = np.asarray(losses)
    counts = flags(losses.shape, mask=np.ones(losses.shape, dtype=bool) if mask is None else mask)[0].astype(int)
    if not counts.any():
        raise InvalidBatch("the mask leaves no sample: there is nothing to reduce")
    shares = ar.ones(losses, losses.shape) * counts / denominators(counts, reduction, length)
    return np.asarray(shares).astype(losses.dtype)


def denominators(counts: Array, reduction: Reduction, length: int | None) -> Any:
    """What 0 or 1 for each sample is divided by: (N, ...) -> an integer, or one for each sequence."""
    if reduction in ("none", "sum"):
        return 1
    if reduction in ("mean", "token_mean"):
        return int(counts.sum())
    if counts.ndim < 2:
        raise InvalidBatch(f"reduction {reduction!r} reads (sequences, tokens): the losses have shape {counts.shape}")
    if reduction == "seq_mean_token_sum":
        return len(counts)
    if reduction == "seq_mean_token_sum_norm":
        if length is None or length < 1:
            raise InvalidBatch(f"length = {length}: reduction {reduction!r} divides by a fixed length of at least 1")
        return len(counts) * length
    tokens = counts.sum(axis=tuple(range(1, counts.ndim)), keepdims=True)
    if (tokens == 0).any():
        raise InvalidBatch(f"sequence {int(np.argmin(tokens))} has no token under the mask: its mean does not exist")
    return len(counts) * tokens

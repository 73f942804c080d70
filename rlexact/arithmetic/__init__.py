"""The only room that knows what a number is.

Four worlds hold the same verbs, so that a formula is written once and the data decides how it is computed:

    dense      float64 arrays (NumPy, LAPACK)
    sparse     float64 in compressed rows (scipy.sparse)
    rational   `fractions.Fraction`, multiplied and solved in FLINT matrices
    symbolic   SymPy expressions in cancelled form

A kernel (a matrix of transition probabilities) is an object of its world with `@`, `+`, `-`, scalar `*`, `.T`,
`.sum(axis)` and `.shape`. Vectors, policies and action values are NumPy arrays: of float64, of `Fraction`, or of SymPy
expressions. `of(x)` finds the world that `x` lives in; every verb below asks it, and nobody else does.
"""

from rlexact.arithmetic.errors import MixedNumbers, NotExact, SingularSystem
from rlexact.arithmetic.reading import Array, NotANumber, as_fraction, read
from rlexact.arithmetic.verbs import (
    apart,
    assemble,
    average,
    best,
    columns_from,
    dense_array,
    eigenvalues,
    entries,
    exp,
    expm1,
    eye,
    finite,
    is_exact,
    keep_rows,
    kernel_from,
    largest,
    log,
    log1p,
    log_softmax,
    logsumexp,
    mix,
    negative,
    null_space,
    number,
    of,
    ones,
    rounding,
    row,
    soft_best,
    solve,
    square_root,
    support,
    surprise,
    take_rows,
    tidy,
    unit_roundoff,
    zeros,
)

__all__ = [
    "Array",
    "MixedNumbers",
    "NotANumber",
    "NotExact",
    "SingularSystem",
    "apart",
    "as_fraction",
    "assemble",
    "average",
    "best",
    "columns_from",
    "dense_array",
    "eigenvalues",
    "entries",
    "exp",
    "expm1",
    "eye",
    "finite",
    "is_exact",
    "keep_rows",
    "kernel_from",
    "largest",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "mix",
    "negative",
    "null_space",
    "number",
    "of",
    "ones",
    "read",
    "rounding",
    "row",
    "soft_best",
    "solve",
    "square_root",
    "support",
    "surprise",
    "take_rows",
    "tidy",
    "unit_roundoff",
    "zeros",
]

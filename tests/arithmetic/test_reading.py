"""What a user hands over: which world it makes, and what is refused with its place."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import sympy

from rlexact import arithmetic as ar
from rlexact.arithmetic.reading import fits_float, kind_of
from rlexact.mdp import MDP

g = sympy.Symbol("g")


@pytest.mark.parametrize(
    ("value", "world"),
    [
        ([1, 2], "float64"),
        ([0.5, 2], "float64"),
        (np.array([1, 2], dtype=np.uint8), "float64"),
        (np.array([1, 2], dtype=np.float32), "float64"),
        (np.array([np.float64(0.5), 1], dtype=object), "float64"),
        (["1/2", 1], "rational"),
        ([Decimal("0.1"), 1], "rational"),
        (np.array(["0.1", "1e-3"]), "rational"),
        ([Fraction(1, 2), 1], "rational"),
        ([g, 1], "symbolic"),
        ([sympy.Rational(1, 2), Fraction(1, 3), "0.25", 2], "symbolic"),
        ([sympy.Integer(1)], "symbolic"),
    ],
)
def test_which_world(value, world):
    assert world == ar.of(ar.read({"x": value})["x"]).NAME


def test_numbers_are_read_exactly():
    read = ar.read({"x": ["0.1", "1/3", " 2 ", "1e-2", Decimal("0.25"), Fraction(1, 7), np.int64(5), 3]})["x"]
    assert read.tolist() == [Fraction(1, 10), Fraction(1, 3), 2, Fraction(1, 100), Fraction(1, 4), Fraction(1, 7), 5, 3]
    assert all(type(x) is Fraction and type(x.numerator) is int for x in read)


def test_one_exact_number_changes_the_integers_beside_it():
    read = ar.read({"x": [1, 2], "y": "1/2", "z": None})
    assert all(type(x) is Fraction for x in read["x"])
    assert read["z"] is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"x": [Fraction(1, 2), 0.5]}, r"x\[0\] is exact and x\[1\] is a float"),
        ({"x": [0.5], "y": ["1/2"]}, r"y\[0\] is exact and x is a float"),
        ({"x": [g], "y": 0.5}, r"x\[0\] is exact and y is a float"),
        ({"x": scipy.sparse.eye_array(2), "y": "1/2"}, "y is exact and x is a float"),
        ({"x": [2**53 + 1]}, r"x\[0\] = 9007199254740993 is no float64"),
        ({"x": np.array([[0, -(2**62) - 1]])}, r"x\[0, 1\]"),
        ({"x": [10**400]}, "no float64"),
    ],
)
def test_worlds_do_not_mix(values, message):
    with pytest.raises(ar.MixedNumbers, match=message):
        ar.read(values)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], "x is ragged"),
        ([["1/2"], 3], r"ragged"),
        (["half"], r"x\[0\]: 'half' is not a finite decimal"),
        (["nan"], r"x\[0\]: 'nan'"),
        (["1/0"], r"x\[0\]: '1/0'"),
        ([Decimal("Infinity"), 1], r"x\[0\]: Decimal"),
        ([None, 1.0], r"x\[0\]: None of type NoneType"),
        ([True, "1/2"], r"x\[0\]: True is a truth value"),
        ([True, False], "x has dtype bool"),
        ([1j], "x has dtype complex128"),
        (np.array([1], dtype=np.longdouble), "x has dtype"),
        (np.array([np.longdouble(1)], dtype=object), r"x\[0\].*longdouble"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "x has dtype datetime64"),
        ([b"1/2"], r"x\[0\]: b'1/2' of type bytes"),
        ({0: 1}, "x is a dict"),
        (np.ma.array([1.0], mask=[True]), "x is a masked array"),
        ([sympy.I], r"x\[0\]: I is not a real number"),
        ([g > 1], r"x\[0\]: g > 1 is not a real number"),
        ([sympy.Float(0.5)], r"x\[0\]: 0\.5\d* holds a float"),
        (scipy.sparse.csr_array(np.eye(2, dtype=bool)), "x is sparse with dtype bool"),
        (scipy.sparse.csr_array(np.eye(2, dtype=complex)), "x is sparse with dtype complex128"),
        (scipy.sparse.coo_array(np.array([1.0, 0.0])), r"x is sparse with shape \(2,\)"),
    ],
)
def test_what_is_no_number(value, message):
    with pytest.raises(ar.NotANumber, match=message):
        ar.read({"x": value})


def test_large_numbers_that_floats_hold():
    read = ar.read({"x": np.array([2**60, -(2**62)]), "y": [1e300, 2**70], "z": np.array([1e300, 1], dtype=object)})
    assert read["x"].tolist() == [2.0**60, -(2.0**62)]
    assert read["y"].tolist() == [1e300, 2.0**70]
    assert read["z"].tolist() == [1e300, 1.0]
    assert fits_float(2**53)
    assert not fits_float(2**53 + 1)
    assert not fits_float(10**400)


def test_nothing_read_belongs_to_the_user():
    dense, sparse = np.eye(2), scipy.sparse.csr_array(np.eye(2))
    read = ar.read({"dense": dense, "sparse": sparse})
    assert not np.shares_memory(read["dense"], dense)
    assert not np.shares_memory(read["sparse"].data, sparse.data)


def test_sparse_matrices_are_read_in_one_form():
    """Duplicates added, stored zeros dropped, indices sorted, whatever the format and the dtype."""
    messy = scipy.sparse.csr_array(([1.0, 0.25, 0.25, 0.0], [1, 0, 0, 1], [0, 3, 4]), shape=(2, 2))
    read = ar.read({"x": messy})["x"]
    assert (read.nnz, read.toarray().tolist()) == (2, [[0.5, 1.0], [0.0, 0.0]])
    assert read.indices.tolist() == [0, 1]
    for form in ("coo", "csc", "lil", "dok", "dia", "bsr"):
        again = ar.read({"x": scipy.sparse.eye(3, dtype=np.int64, format=form)})["x"]
        assert isinstance(again, scipy.sparse.csr_array)
        assert (again.dtype, again.toarray().tolist()) == (np.float64, np.eye(3).tolist())


def test_sympy_numbers_are_symbols():
    """SymPy registers its own numbers as Integral and Rational: they are still SymPy's."""
    assert [kind_of(x) for x in (sympy.Integer(2), sympy.Rational(1, 2), g)] == ["symbol"] * 3
    assert [kind_of(x) for x in (2, np.int8(2), 0.5, np.float16(0.5), Fraction(1, 2))] == [
        "integer",
        "integer",
        "float",
        "float",
        "exact",
    ]


def test_fractions_made_of_numpy_integers_become_plain():
    """Fraction(np.int64(3)) keeps NumPy parts, which overflow silently in products."""
    read = MDP([[["1"]]], [[Fraction(np.int64(2**40))]], "1/2").r[0, 0]
    assert type(read.numerator) is int
    assert read * read == Fraction(2**80)

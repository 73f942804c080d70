"""What can go wrong with numbers themselves."""


class NotExact(TypeError):
    """An exact world was asked for what it cannot hold: exp of a rational, the larger of two undecided symbols."""


class MixedNumbers(TypeError):
    """Exact numbers and floats met: one of them would silently become the other."""


class SingularSystem(ArithmeticError):
    """A linear system has no unique solution."""

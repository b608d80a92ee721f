"""What every diagnostic test returns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnostic:
    """The outcome of a test.

    Attributes
    ----------
    name
        Name of the test.
    statistic
        Its value.
    df
        Degrees of freedom, numerator first; empty for the normal distribution.
    p_value
        Two-sided for the normal distribution, else upper tail.
    distribution
        "chi2", "F", "normal" or "t".
    null
        The hypothesis under test, in words.
    note
        What a reader must know of the form used; empty when there is nothing.
    """

    name: str
    statistic: float
    df: tuple[float, ...]
    p_value: float
    distribution: str
    null: str
    note: str = ""

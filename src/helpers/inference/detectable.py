"""The smallest effect that a test would see: what "cannot be told from zero" leaves open."""

import numpy as np
from scipy import optimize, stats

from helpers.errors import StudyError
from helpers.results.estimate import Estimate


def detectable_effect(found: Estimate, *, level: float = 0.05, power: float = 0.8) -> float:
    """The effect d for which the two-sided t test rejects with probability `power`, at the standard error found.

    P(|t'| > t*) = power, t' noncentral t with the estimate's degrees of freedom and noncentrality d / std_error.

    Parameters
    ----------
    found
        Its standard error and its degrees of freedom are used; without these the normal distribution is.
    level
        Level of the test.
    power
        Probability of seeing the effect.

    Raises
    ------
    StudyError
        An estimate without a standard error, or a power that is not between level and 1.
    """
    if found.std_error is None or not level < power < 1:
        raise StudyError("detectable effect", f"std_error {found.std_error}, power {power}", "give both")
    if found.df is None:
        return float(found.std_error * (stats.norm.isf(level / 2) + stats.norm.ppf(power)))
    df, critical = found.df, stats.t.isf(level / 2, found.df)

    def short(distance: float) -> float:
        # The far tail is beyond what scipy can compute when it no longer counts.
        far = float(np.nan_to_num(stats.nct.cdf(-critical, df, distance)))
        return float(stats.nct.sf(critical, df, distance)) + far - power

    # Power grows from level to one, which it nearly has where the centre is five beyond the critical value.
    return float(found.std_error * optimize.brentq(short, 0.0, critical + 5.0, xtol=1e-10))

"""The smallest effect that a test would see: what "cannot be told from zero" leaves open."""

import numpy as np
from scipy import optimize

from helpers import distributions as stats
from helpers.errors import StudyError
from helpers.results.estimate import Estimate


def detectable_effect(
    found: Estimate,
    *,
    level: float = 0.05,
    power: float = 0.8,
    df: float | None = None,
    beyond: float = 0.0,
) -> float:
    """The effect d for which the two-sided t test rejects with probability `power`, at the standard error found.

    P(|t'| > t*) = power, t' noncentral t with the estimate's degrees of freedom and noncentrality d / std_error.

    Parameters
    ----------
    found
        Its standard error and its degrees of freedom are used; without these the normal distribution is. A test that
        has an interval only, such as a bootstrap, counts as a t test whose interval is as wide.
    level
        Level of the test.
    power
        Probability of seeing the effect.
    df
        Degrees of freedom where the estimate has none of its own, as that of a bootstrap.
    beyond
        What |t| must exceed too, where another test, as that of a family, asks for more than the level does.

    Raises
    ------
    StudyError
        An estimate without a standard error, or a power that is not between level and 1.
    """
    from scipy.stats import nct

    freedom = df if found.df is None else found.df
    critical = float(stats.norm.isf(level / 2) if freedom is None else stats.t.isf(level / 2, freedom))
    critical = max(critical, beyond)
    std_error = _std_error(found, freedom)
    if std_error is None or not level < power < 1:
        raise StudyError("detectable effect", f"std_error {found.std_error}, power {power}", "give both")
    if freedom is None:
        return float(std_error * (critical + stats.norm.ppf(power)))

    def short(distance: float) -> float:
        # The far tail is beyond what scipy can compute when it no longer counts.
        far = float(np.nan_to_num(nct.cdf(-critical, freedom, distance)))
        return float(nct.sf(critical, freedom, distance)) + far - power

    # Power grows from level to one, which it nearly has five beyond the critical value, but for few degrees of freedom.
    most = critical + 5.0
    while short(most) < 0:
        most *= 2
    return float(std_error * optimize.brentq(short, 0.0, most, xtol=1e-10))


def detectable_f(df: float, df_rest: float, *, level: float = 0.05, power: float = 0.8) -> float:
    """How strong several coefficients must be together for an F test to reject with probability `power`.

    As the F statistic around which samples would scatter, 1 + noncentrality / df: it stands beside the one found.

    Parameters
    ----------
    df, df_rest
        Degrees of freedom of the test, 1 or more.
    level, power
        As in `detectable_effect`.

    Raises
    ------
    StudyError
        A power that is not between level and 1.

    Source: Cohen (1988), chapter 9.
    """
    from scipy.stats import f, ncf

    if not level < power < 1:
        raise StudyError("detectable effect", f"power {power}", "give one between the level and 1")
    critical, far = float(f.isf(level, df, df_rest)), 1.0
    while ncf.sf(critical, df, df_rest, far) < power:
        far *= 2
    found = optimize.brentq(lambda size: float(ncf.sf(critical, df, df_rest, size)) - power, 0.0, far, xtol=1e-10)
    return 1 + float(found) / df


def detectable_gap(std_error: float, df: float, df_rest: float, *, level: float = 0.05, power: float = 0.8) -> float:
    """How far apart two of several effects must lie for the F test of equality to reject with at least `power`.

    std_error * root of the noncentrality that has this power. Whatever the other effects are, the noncentrality is at
    least (gap / std_error)^2, since it is the largest of these squares over all contrasts.

    Parameters
    ----------
    std_error
        Of the difference; the largest over all pairs, where any two may be the ones that lie apart.
    df, df_rest, level, power
        As in `detectable_f`.

    Raises
    ------
    StudyError
        As `detectable_f`.

    Source: Cohen (1988), chapter 8, pattern 1; Scheffe (1959), section 3.5.
    """
    return std_error * float(np.sqrt(df * (detectable_f(df, df_rest, level=level, power=power) - 1)))


def is_bounded(found: Estimate) -> bool:
    """Whether the interval has two ends: without them a test may see no effect, however large."""
    return all(end is not None and bool(np.isfinite(end)) for end in (found.ci_low, found.ci_high))


def _std_error(found: Estimate, freedom: float | None) -> float | None:
    """The standard error, or that of a t test whose 95 % interval is as wide; the level of the test is another."""
    if found.std_error is not None or found.ci_low is None or found.ci_high is None:
        return found.std_error
    half = (found.ci_high - found.ci_low) / 2
    ends = float(stats.norm.isf(0.025) if freedom is None else stats.t.isf(0.025, freedom))
    return half / ends if np.isfinite(half) else None

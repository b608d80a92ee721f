"""What a comparison of regions returns: each region's own estimate, and the tested difference of each pair."""

from dataclasses import dataclass, field

from helpers.inference.small_sample import SmallSampleTest
from helpers.inference.wild import WildBootstrap
from helpers.regression.panel import PanelFit


@dataclass(frozen=True)
class RegionFit:
    """One region's own regression.

    Attributes
    ----------
    region
        Its name.
    estimate, std_error, statistic, p_value, ci_low, ci_high
        Coefficient of the treatment, by the named convention.
    n_obs, n_entities
        Rows and entities of the region.
    convention
        Name of the standard-error convention.
    wild
        Wild cluster bootstrap of the same coefficient with its interval, exact where the region has 12 entities or
        fewer. None for means.
    fit
        The whole regression.
    """

    region: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    ci_low: float
    ci_high: float
    n_obs: int
    n_entities: int
    convention: str
    wild: WildBootstrap | None
    fit: PanelFit = field(repr=False)

    @property
    def recorded(self) -> dict[str, float | int | str]:
        """The fields that ``results.record(key, **region.recorded)`` takes."""
        return _recorded(self)


@dataclass(frozen=True)
class RegionGap:
    """The difference between two regions.

    Attributes
    ----------
    first, second
        The regions; the difference is first minus second.
    estimate, std_error, statistic, p_value, ci_low, ci_high
        From the stacked regression, by the named convention.
    n_obs, n_entities
        Rows and entities of the two regions together.
    convention
        Name of the standard-error convention.
    cr2
        The same difference with the CR2 standard error and Satterthwaite degrees of freedom.
    wild
        Wild cluster bootstrap of the same difference. None where it was not asked for.
    permutation_p_value, permutations
        Share of random divisions of the two regions' entities whose |t| reaches that of the sample (itself counted
        once), t = difference over the root of the two regions' squared standard errors; None for means. Draws.
    p_holm, p_holm_wild
        p_value and the bootstrap's, adjusted by Holm over all pairs.
    p_romano_wolf
        Adjusted by Romano and Wolf over all pairs, wild draws under equality of all regions. None for means.
    """

    first: str
    second: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    ci_low: float
    ci_high: float
    n_obs: int
    n_entities: int
    convention: str
    cr2: SmallSampleTest
    wild: WildBootstrap | None
    permutation_p_value: float | None
    permutations: int
    p_holm: float
    p_holm_wild: float | None
    p_romano_wolf: float | None

    @property
    def recorded(self) -> dict[str, float | int | str]:
        """The fields that ``results.record(key, **gap.recorded)`` takes."""
        return _recorded(self)


def _recorded(item: RegionFit | RegionGap) -> dict[str, float | int | str]:
    names = ("estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high", "n_obs", "n_entities", "convention")
    return {name: getattr(item, name) for name in names}

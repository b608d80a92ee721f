"""How few entities carry a result: every refit without one, two or three of them, indices derived anew each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from helpers.errors import StudyError
from helpers.index.redraw import rederive_columns
from helpers.regression.batches import fit_batch
from helpers.regression.design import check_panel
from helpers.regression.effects import Codes, Floats
from helpers.regression.many import WeightedFits, fit_weighted_entities
from helpers.regression.panel import fit_panel

# Refits made at a time, so that no large matrix is held.
BLOCK = 1024


@dataclass(frozen=True)
class FragilityMap:
    """Refits without small sets of entities.

    Attributes
    ----------
    table
        One row per set: `left_out` (names, joined by " + "), `size`, estimate, std_error (clustered by entity,
        convention "stata"), p_value (t with clusters - 1 degrees of freedom), n_obs, `flips_sign`, `flips_verdict`
        (significant or not), and `reason`: why it could not be estimated, empty where it was.
    sets
        The names in each row.
    estimate, p_value
        With all entities.
    significance
        Level of the verdict.
    """

    table: pd.DataFrame
    sets: tuple[tuple[str, ...], ...]
    estimate: float
    p_value: float
    significance: float

    @property
    def n_failed(self) -> int:
        """Refits that could not be estimated."""
        return int((self.table["reason"] != "").sum())

    @property
    def smallest_sign(self) -> tuple[str, ...] | None:
        """The smallest set that turns the sign (of several the one that turns it furthest), None when there is none."""
        found = self._smallest("flips_sign")
        if found.empty:
            return None
        return self.sets[int(str((found["estimate"] * -np.sign(self.estimate)).idxmax()))]

    @property
    def smallest_verdict(self) -> tuple[str, ...] | None:
        """The smallest set that changes the verdict (of several the clearest), None when there is none."""
        found = self._smallest("flips_verdict")
        if found.empty:
            return None
        clearest = found["p_value"].idxmax() if self.p_value < self.significance else found["p_value"].idxmin()
        return self.sets[int(str(clearest))]

    def _smallest(self, flag: str) -> pd.DataFrame:
        flips = self.table[flag].to_numpy()
        smallest = self.table.loc[flips, "size"].min()
        return pd.DataFrame(self.table.loc[flips & (self.table["size"] == smallest).to_numpy()])

    @property
    def by_size(self) -> pd.DataFrame:
        """Per size of the sets: refits, range of the estimate, largest and smallest p-value, shares that flip."""
        groups = self.table.groupby("size")
        return pd.DataFrame(
            {
                "refits": groups.size(),
                "failed": groups["reason"].agg(lambda reasons: int((reasons != "").sum())),
                "smallest_estimate": groups["estimate"].min(),
                "largest_estimate": groups["estimate"].max(),
                "smallest_p_value": groups["p_value"].min(),
                "largest_p_value": groups["p_value"].max(),
                "share_flips_sign": groups["flips_sign"].mean(),
                "share_flips_verdict": groups["flips_verdict"].mean(),
            }
        )

    @property
    def by_entity(self) -> pd.DataFrame:
        """Per entity: estimate and p-value without it alone, the change, and the share of its sets that flip."""
        single = self.table[self.table["size"] == 1]
        names = [self.sets[row][0] for row in single.index]
        member = {name: [row for row, left in enumerate(self.sets) if name in left] for name in names}
        found = single[["estimate", "p_value"]].set_axis(pd.Index(names, name="entity"))
        found["change"] = found["estimate"] - self.estimate
        for flag in ("flips_sign", "flips_verdict"):
            found[f"share_{flag}"] = [self.table.loc[member[name], flag].mean() for name in names]
        return found.sort_values("change", key=abs, ascending=False)


def count_refits(n_entities: int, most: int) -> int:
    """Number of sets of 1 to `most` entities."""
    return sum(comb(n_entities, size) for size in range(1, most + 1))


def map_fragility(
    panel: pd.DataFrame,
    outcome: str,
    treatment: str,
    controls: Sequence[str] = (),
    indices: Mapping[str, Any] | None = None,
    *,
    most: int = 3,
    entity_effects: bool = True,
    time_effects: bool = True,
    significance: float = 0.05,
) -> FragilityMap:
    """Refit without every set of one to `most` entities.

    Parameters
    ----------
    panel
        Panel with the columns of the regression and the indicators of the indices.
    outcome, treatment, controls
        Names of columns or, the first two, of indices.
    indices
        Name -> spec (see `helpers.index.composite.composite_index`): these are built anew over the rows that are left,
        scales and weights included; other columns stay as they are.
    most
        Largest number of entities left out together; `count_refits` says how many refits that makes.
    entity_effects, time_effects
        As in `fit_panel`.
    significance
        Level of the verdict.

    Raises
    ------
    StudyError
        What `fit_panel` says about the whole panel; sets that leave fewer than two entities.
    """
    specs = {name: spec for name, spec in (indices or {}).items() if name in (outcome, treatment)}
    panel = panel.sort_index()
    entities = [str(name) for name in panel.index.get_level_values(0).unique()]
    if not 1 <= most <= len(entities) - 2:
        raise StudyError(f"sets of {most} entities", f"there are {len(entities)} entities", "leave at least two in")
    members = [np.array(list(combinations(range(len(entities)), size))) for size in range(1, most + 1)]
    counts = np.concatenate([_without(chosen, len(entities)) for chosen in members])
    model = _Model(panel, outcome, treatment, tuple(controls), specs, entity_effects, time_effects)
    whole = model.fit_whole()
    blocks = [model.refit(counts[start : start + BLOCK]) for start in range(0, len(counts), BLOCK)]
    table = pd.concat(blocks, ignore_index=True)
    sets = tuple(tuple(entities[place] for place in chosen) for block in members for chosen in block)
    table.insert(0, "left_out", [" + ".join(chosen) for chosen in sets])
    table.insert(1, "size", [len(chosen) for chosen in sets])
    known = table["reason"] == ""
    table["flips_sign"] = known & (table["estimate"] * whole[0] < 0)
    table["flips_verdict"] = known & ((table["p_value"] < significance) != (whole[1] < significance))
    return FragilityMap(table, sets, *whole, significance)


def _without(chosen: Codes, n_entities: int) -> Floats:
    """Weights (B, G): 0 for the entities of each set, else 1."""
    counts = np.ones((len(chosen), n_entities))
    np.put_along_axis(counts, chosen, 0.0, axis=1)
    return counts


@dataclass(frozen=True)
class _Model:
    """The regression to be refitted."""

    panel: pd.DataFrame
    outcome: str
    treatment: str
    controls: tuple[str, ...]
    specs: Mapping[str, Any]
    entity_effects: bool
    time_effects: bool

    def fit_whole(self) -> tuple[float, float]:
        """Estimate and p-value with all entities."""
        all_in = np.ones((1, self.panel.index.get_level_values(0).nunique()))
        columns, _ = rederive_columns(self.panel, (self.outcome, self.treatment), self.specs, all_in)
        data = self.panel[list(self.controls)].assign(**{name: values[0] for name, values in columns.items()})
        fit = fit_panel(
            data, self.outcome, [self.treatment, *self.controls],
            entity_effects=self.entity_effects, time_effects=self.time_effects,
        )  # fmt: skip
        return float(fit.estimates[self.treatment]), float(fit.p_values[self.treatment])

    def refit(self, counts: Floats) -> pd.DataFrame:
        """Numbers of some refits."""
        fits, reasons = self._fit(counts)
        estimable = fits.estimable & (reasons == "")
        estimate, std_error = (
            np.where(estimable, values[:, 0], np.nan) for values in (fits.estimates, fits.std_errors)
        )
        return pd.DataFrame(
            {
                "estimate": estimate,
                "std_error": std_error,
                "p_value": 2 * stats.t.sf(np.abs(estimate / std_error), fits.n_clusters - 1),
                "n_obs": fits.n_obs.astype(int),
                "reason": np.where(
                    (reasons == "") & ~estimable, "the treatment or a control has nothing of its own left", reasons
                ),
            }
        )

    def _fit(self, counts: Floats) -> tuple[WeightedFits, np.ndarray]:
        effects = {"entity_effects": self.entity_effects, "time_effects": self.time_effects}
        regressors = [self.treatment, *self.controls]
        if not self.specs:
            plain = fit_weighted_entities(self.panel, self.outcome, regressors, counts, **effects)
            return plain, np.full(len(counts), "", dtype=object)
        columns, reasons = rederive_columns(self.panel, (self.outcome, self.treatment), self.specs, counts)
        controls = (
            check_panel(self.panel, list(self.controls)).to_numpy() if self.controls else np.empty((len(self.panel), 0))
        )
        treatment = columns[self.treatment]
        x = np.empty((len(treatment), len(self.panel), len(regressors)))
        x[:, :, 0], x[:, :, 1:] = treatment, controls
        entity, time = (self.panel.index.get_level_values(level) for level in (0, 1))
        return fit_batch(columns[self.outcome], x, entity, time, weights=counts, **effects), reasons

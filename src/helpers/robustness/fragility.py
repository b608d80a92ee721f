"""How few entities carry a result: every refit without one, two or three of them, indices derived anew each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.regression.leverage import rank_influence
from helpers.results.rounding import tie
from helpers.robustness import indexed
from helpers.study.model import Model

# Rows that all refits together go through at most, but for so many sets at least.
MOST_ROWS, FEWEST = 50_000_000, 100


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
        member: dict[str, list[int]] = {name: [] for name in names}
        for row, left in enumerate(self.sets):
            for name in left:
                member[name].append(row)
        found = single[["estimate", "p_value"]].set_axis(pd.Index(names, name="entity"))
        found["change"] = found["estimate"] - self.estimate
        for flag in ("flips_sign", "flips_verdict"):
            found[f"share_{flag}"] = [self.table.loc[member[name], flag].mean() for name in names]
        return found.sort_values("change", key=lambda change: tie(change.abs()), ascending=False, kind="stable")


def count_refits(n_entities: int, most: int) -> int:
    """Number of sets of 1 to `most` entities."""
    return sum(comb(n_entities, size) for size in range(1, most + 1))


class LeftOut:
    """Samples without every set of 1 to `most` of some of G entities, made when they are asked for.

    Attributes
    ----------
    members
        Positions of the entities of each set.
    """

    def __init__(self, n_entities: int, most: int, places: Sequence[int] | None = None) -> None:
        self.n_entities = n_entities
        chosen = range(n_entities) if places is None else places
        self.members = [members for size in range(1, most + 1) for members in combinations(chosen, size)]

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, rows: slice) -> Floats:
        counts = np.ones((len(self.members[rows]), self.n_entities))
        for row, chosen in enumerate(self.members[rows]):
            counts[row, list(chosen)] = 0.0
        return counts


def map_fragility(
    data: pd.DataFrame,
    model: Model,
    indices: Mapping[str, Any] | None = None,
    *,
    most: int = 3,
    significance: float = 0.05,
    refits: int = 20_000,
) -> FragilityMap:
    """Refit without every set of one to `most` entities.

    Parameters
    ----------
    data, model, indices
        As in `helpers.robustness.indexed.fit`: indices are built anew over the rows that are left, scales and weights
        included; other columns stay as they are.
    most
        Largest number of entities left out together, at least two stay in; `count_refits` says how many refits that is.
    significance
        Level of the verdict.
    refits
        Most refits that are made: of sets so large that there would be more, none is left out. Each goes through all
        rows, so that there are no more of them than `MOST_ROWS` rows allow; where even single entities are more than
        that, those are left out whose rows move the estimate most (`helpers.regression.leverage.rank_influence`).

    Raises
    ------
    StudyError
        What `fit_panel` says about the whole panel; fewer than three entities.
    """
    specs = dict(indices or {})
    entities = [str(name) for name in data.index.get_level_values(0).unique().sort_values()]
    if most < 1 or len(entities) < 3:
        raise StudyError(f"sets of {most} entities", f"there are {len(entities)} entities", "leave at least two in")
    most = min(most, len(entities) - 2)
    refits = min(refits, max(FEWEST, MOST_ROWS // len(data)))
    while most > 1 and count_refits(len(entities), most) > refits:
        most -= 1
    whole = indexed.fit_whole(data, model, specs)
    few = None if len(entities) <= refits else rank_influence(whole, model.treatment, refits).tolist()
    left_out = LeftOut(len(entities), most, few)
    fits = indexed.fit(data, model, specs, left_out)
    estimate, p_value = float(whole.estimates[model.treatment]), float(whole.p_values[model.treatment])
    sets = tuple(tuple(entities[place] for place in chosen) for chosen in left_out.members)
    table = pd.DataFrame(
        {
            "left_out": [" + ".join(chosen) for chosen in sets],
            "size": [len(chosen) for chosen in sets],
            "estimate": fits.estimates,
            "std_error": fits.std_errors,
            "p_value": fits.p_values,
            "n_obs": fits.n_obs.astype(int),
            "reason": fits.reasons,
            "flips_sign": fits.good & (fits.estimates * estimate < 0),
            "flips_verdict": fits.good & ((fits.p_values < significance) != (p_value < significance)),
        }
    )
    return FragilityMap(table, sets, estimate, p_value, significance)

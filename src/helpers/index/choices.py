"""The choices that an index could have been built with, and the index under each combination of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.index.aggregation import aggregate_scores
from helpers.index.composite import map_to_range, scale_indicators
from helpers.index.weights import entropy_weights, pooled_weights
from helpers.study.index import Method, read_field, read_method

# Bytes of steps that an index keeps for other runs; beyond them a step is done again.
KEPT_BYTES = 200_000_000


@dataclass(frozen=True)
class IndexChoices:
    """Options of each choice; in an analysis every option of a choice is equally likely.

    Attributes
    ----------
    zero_rule
        Shifts added to every score before its entropy is taken; 0 is the rule 0 ln 0 = 0.
    scale, scope, weights, aggregate
        Options by the names of `Method`; no chained or hand-set weights, no goalposts.
    winsorise
        Shares pulled in at each end.
    leave_one_out
        Whether each indicator in turn is also left out, each as likely as leaving none out; never one of two.
    floor
        Lowest score under geometric and harmonic means, whose scores lie in [floor, 1] instead of [0, 1].
    """

    zero_rule: tuple[float, ...] = (0.0, 0.0001, 0.01)
    scale: tuple[str, ...] = ("min_max", "z_score", "percentile")
    winsorise: tuple[float, ...] = (0.0, 0.01, 0.025, 0.05)
    weights: tuple[str, ...] = (
        "entropy",
        "entropy_yearly",
        "equal",
        "critic",
        "critic_entropy",
        "coefficient_of_variation",
    )
    scope: tuple[str, ...] = ("pooled", "yearly")
    aggregate: tuple[str, ...] = ("arithmetic", "geometric", "harmonic", "topsis")
    leave_one_out: bool = True
    floor: float = 0.01

    def __post_init__(self) -> None:
        unfit = {"entropy_chained", "fixed"} & set(self.weights) | {"goalposts"} & set(self.scale)
        if unfit:
            raise StudyError(f"options of the index: {min(unfit)}", "it cannot be varied here", "take it out")
        if "pca" in self.weights and set(self.aggregate) != {"arithmetic"}:
            raise StudyError(
                "options of the index: weights pca",
                "its weights may be negative, which the arithmetic mean alone can take",
                "take it out, or let aggregate be arithmetic only",
            )
        for name in SHARED:
            if not getattr(self, name):
                raise StudyError(f"options of the index: {name}", "there are none", "give at least one")
        for weights in self.weights:
            for scale in self.scale:
                read_method(None, weights=weights, scale=scale)


# Choices that an analyst makes once for all indices of a study.
SHARED = ("zero_rule", "scale", "winsorise", "weights", "scope", "aggregate")


@dataclass(frozen=True)
class IndexRun:
    """One combination of choices for one index."""

    zero_rule: float
    scale: str
    winsorise: float
    weights: str
    scope: str
    aggregate: str
    left_out: str | None = None

    def score_range(self, floor: float) -> tuple[float, float]:
        """Range of the scores: a mean that 0 would make 0 starts at `floor`."""
        return (floor if self.aggregate in ("geometric", "harmonic") else 0.0, 1.0)

    def method(self, floor: float) -> Method:
        """The same combination as a method of `composite_index`."""
        return read_method(
            None,
            scale=self.scale,
            scope=self.scope,
            weights=self.weights,
            zero_rule=self.zero_rule or "zero",
            aggregate=self.aggregate,
            winsorise=self.winsorise,
            score_range=self.score_range(floor),
        )


class ChoiceIndex:
    """One index, ready to be built many times; each build equals `composite_index` with `IndexRun.method`.

    Scores of one winsorising, scale and scope are made once, and so are the weights from them for one zero rule and
    indicator left out: runs that share a step share its work, as far as `KEPT_BYTES` hold it.

    Parameters
    ----------
    panel, spec
        As in `helpers.index.composite.composite_index`; the method of `spec` is not read.
    floor
        As in `IndexChoices`.
    """

    def __init__(self, panel: pd.DataFrame, spec: Any, floor: float) -> None:
        self.panel = panel
        self.spec = spec
        self.floor = floor
        self.indicators = tuple(str(name) for name in read_field(spec, "indicators"))
        # Of two indicators one may not be left out: what stays is no index but a column, whatever the weights.
        self.may_be_left_out = self.indicators if len(self.indicators) > 2 else ()
        self._times = np.unique(panel.index.get_level_values(1), return_inverse=True)[1]
        self._made: dict[tuple[Any, ...], Floats] = {}
        self._bytes = 0

    def build(self, run: IndexRun) -> Floats:
        """The index under `run`, shape (n,), by the panel's rows; errors as in `composite_index`."""
        table = (run.winsorise, run.scale, run.scope)
        kept = (*table, run.left_out)
        figures = self._once(table, lambda: self._scale(run))
        scores = self._once(kept, lambda: self._keep(figures, run.left_out))
        weights = self._once((*kept, run.weights, run.zero_rule), lambda: self._weigh(scores, run))
        if run.aggregate != "arithmetic" and weights.min() < 0:
            raise StudyError(
                f"index with weights {run.weights} and aggregate {run.aggregate}",
                "a weight is negative, which the arithmetic mean alone can take",
                "use aggregate: arithmetic or other weights",
            )
        low, high = run.score_range(self.floor)
        return aggregate_scores(low + (high - low) * scores, weights, run.aggregate)

    def _once(self, key: tuple[Any, ...], make: Callable[[], Floats]) -> Floats:
        if key in self._made:
            return self._made[key]
        made = make()
        if self._bytes + made.nbytes <= KEPT_BYTES:
            self._made[key] = made
            self._bytes += made.nbytes
        return made

    def _scale(self, run: IndexRun) -> Floats:
        method = read_method(None, winsorise=run.winsorise, scale=run.scale, scope=run.scope)
        return scale_indicators(self.panel, self.spec, method).to_numpy()

    def _keep(self, scores: Floats, left_out: str | None) -> Floats:
        """The scores of the other indicators, on [0, 1] by one map common to all of them."""
        kept = [name != left_out for name in self.indicators]
        return map_to_range(scores[:, kept], (0.0, 1.0))

    def _weigh(self, scores: Floats, run: IndexRun) -> Floats:
        """Weights, shape (k,), or n x k where each time has its own."""
        if run.weights != "entropy_yearly":
            return np.asarray(pooled_weights(scores, run.weights, run.zero_rule))
        yearly = [entropy_weights(scores[self._times == time], run.zero_rule) for time in range(self._times.max() + 1)]
        return np.asarray(yearly)[self._times]

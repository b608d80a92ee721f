"""How far the ranks and the headline coefficient depend on choices made in the index.

Uncertainty: all choices are drawn at random, and ranks and coefficient get intervals. Sensitivity: Sobol indices say
which choice makes the spread. Source: Saisana, Saltelli and Tarantola (2005), Journal of the Royal Statistical Society
A 168(2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers import distributions as stats
from helpers.arrays import Floats
from helpers.errors import StudyError
from helpers.index.choices import SHARED, ChoiceIndex, IndexChoices, IndexRun
from helpers.multiverse.sobol import SobolIndices, sobol_indices, sobol_sample
from helpers.regression.many import fit_batch
from helpers.results.rounding import NOTHING

# Runs made at a time, and figures of one column over them: whichever is fewer, so that no large matrix is held.
BLOCK_RUNS = 1024
BLOCK_FIGURES = 2_000_000


@dataclass(frozen=True)
class Specification:
    """The regression that each run ends in.

    Attributes
    ----------
    outcome, treatment
        Names of indices or of columns of the panel.
    controls
        Columns of the panel.
    entity_effects, time_effects
        Which effects are taken out.
    """

    outcome: str
    treatment: str
    controls: tuple[str, ...]
    entity_effects: bool = True
    time_effects: bool = True


@dataclass(frozen=True)
class ChoiceRuns:
    """R full runs of every index, each followed by the regression; the first choices are shared by all indices.

    Attributes
    ----------
    inputs
        Names of the choices, D of them.
    options
        R rows x D: the option of each choice, in words.
    estimates
        R rows: `estimate` (index points of the outcome per index point of the treatment), `std_error` (clustered by
        entity, Stata convention) and `standardised` (estimate x sd of the treatment / sd of the outcome, over all
        rows), which does not depend on the units that an aggregation or a scale gives to an index.
    ranks
        Index -> R x entities: rank of each entity's mean over times, 1 is best, ties share the better rank.
    entities
        Names of the entities, in the order of the columns of `ranks`.
    """

    inputs: tuple[str, ...]
    options: pd.DataFrame
    estimates: pd.DataFrame
    ranks: dict[str, Floats]
    entities: pd.Index


@dataclass(frozen=True)
class IndexUncertainty:
    """Intervals over random choices.

    Attributes
    ----------
    ranks
        Index -> entities x (rank: under the declared method, median, ci_low, ci_high).
    estimates
        Quantiles of `estimate` and `standardised`: baseline, median, ci_low, ci_high, share_same_sign,
        share_significant (two-sided, by t with entities - 1 degrees of freedom at 1 - level).
    """

    ranks: dict[str, pd.DataFrame]
    estimates: pd.DataFrame


@dataclass(frozen=True)
class IndexSensitivity:
    """Sobol indices of the coefficient and of the ranks.

    Attributes
    ----------
    outputs
        "estimate", "standardised", and "rank_shift_<index>": mean absolute difference of the entities' ranks from the
        baseline's.
    """

    outputs: dict[str, SobolIndices]


class IndexExperiment:
    """All choices of a study's indices and the regression that they end in.

    Parameters
    ----------
    panel
        n entity-times, sorted, with the columns of all indicators and controls, nothing missing.
    indices
        Name -> spec, as in `helpers.index.composite.composite_index`.
    specification
        The regression.
    choices
        Options of each choice.
    """

    def __init__(
        self,
        panel: pd.DataFrame,
        indices: Mapping[str, Any],
        specification: Specification,
        choices: IndexChoices | None = None,
    ) -> None:
        self.panel = panel
        self.specification = specification
        self.choices = choices or IndexChoices()
        self.indices = {name: ChoiceIndex(panel, spec, self.choices.floor) for name, spec in indices.items()}
        _check_names(panel, self.indices, specification)
        self.options = self._options()

    def _options(self) -> dict[str, tuple[Any, ...]]:
        """Options of every choice that has more than one."""
        options = {name: tuple(getattr(self.choices, name)) for name in SHARED}
        if self.choices.leave_one_out:
            for name, index in self.indices.items():
                options[f"left_out_{name}"] = (None, *index.may_be_left_out)
        return {name: values for name, values in options.items() if len(values) > 1}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the choices that vary."""
        return tuple(self.options)

    def run(self, points: Floats) -> ChoiceRuns:
        """Build every index and fit the regression at each point.

        Parameters
        ----------
        points
            R x D in [0, 1), columns as `inputs`; each coordinate picks one of its choice's options, all alike.
        """
        picked = [self._pick(point) for point in points]
        step = max(1, min(BLOCK_RUNS, BLOCK_FIGURES // len(self.panel)))
        blocks = [self._run_block(picked[start : start + step]) for start in range(0, len(picked), step)]
        return ChoiceRuns(
            inputs=self.inputs,
            options=pd.DataFrame(picked, columns=list(self.inputs)).astype(object).fillna("none"),
            estimates=pd.concat([estimates for estimates, _ in blocks], ignore_index=True),
            ranks={name: np.concatenate([ranks[name] for _, ranks in blocks]) for name in self.indices},
            entities=self.panel.index.get_level_values(0).unique(),
        )

    def _run_block(self, picked: list[dict[str, Any]]) -> tuple[pd.DataFrame, dict[str, Floats]]:
        """Estimates and ranks of a few runs."""
        values = {name: np.empty((len(picked), len(self.panel))) for name in self.indices}
        for row, options in enumerate(picked):
            shared = {name: options[name] for name in SHARED}
            for name, index in self.indices.items():
                values[name][row] = index.build(IndexRun(**shared, left_out=options.get(f"left_out_{name}")))
        return self._fit(values), {name: _ranks(self._entity_means(matrix)) for name, matrix in values.items()}

    def _pick(self, point: Floats) -> dict[str, Any]:
        fixed = {name: getattr(self.choices, name)[0] for name in SHARED}
        return fixed | {
            name: options[int(share * len(options))]
            for share, (name, options) in zip(point, self.options.items(), strict=True)
        }

    def _entity_means(self, values: Floats) -> Floats:
        """The mean of each entity over its rows, runs x entities; the rows of an entity stand together."""
        codes = self.panel.index.get_level_values(0).factorize()[0]
        first = np.flatnonzero(np.diff(codes, prepend=-1))
        return np.asarray(np.add.reduceat(values, first, axis=1) / np.bincount(codes))

    def _fit(self, values: Mapping[str, Floats]) -> pd.DataFrame:
        model = self.specification
        runs = len(next(iter(values.values())))

        def column(name: str) -> Floats:
            figures = values[name] if name in values else self.panel[name].to_numpy(dtype=float)
            return np.broadcast_to(figures, (runs, len(self.panel)))

        outcome, treatment = column(model.outcome), column(model.treatment)
        fits = fit_batch(
            outcome,
            np.stack([treatment, *(column(name) for name in model.controls)], axis=2),
            self.panel.index.get_level_values(0).factorize()[0],
            self.panel.index.get_level_values(1).factorize(sort=True)[0],
            entity_effects=model.entity_effects,
            time_effects=model.time_effects,
        )
        estimate = fits.estimates[:, 0]
        return pd.DataFrame(
            {
                "estimate": estimate,
                "std_error": fits.std_errors[:, 0],
                "standardised": estimate * treatment.std(axis=1) / outcome.std(axis=1),
            }
        )


def draw_uncertainty(
    experiment: IndexExperiment, draws: int, rng: np.random.Generator, level: float = 0.95
) -> IndexUncertainty:
    """Draw all choices at random, every option alike and independent of the others.

    Parameters
    ----------
    experiment
        Indices, choices and regression.
    draws
        Number of runs.
    rng
        Source of randomness.
    level
        Level of the percentile intervals.
    """
    baseline = experiment.run(np.zeros((1, len(experiment.inputs))))
    runs = experiment.run(rng.random((draws, len(experiment.inputs))))
    ends = [(1 - level) / 2, 0.5, (1 + level) / 2]
    ranks = {}
    for name, matrix in runs.ranks.items():
        low, median, high = np.quantile(matrix, ends, axis=0)
        ranks[name] = pd.DataFrame(
            {"rank": baseline.ranks[name][0], "median": median, "ci_low": low, "ci_high": high}, index=runs.entities
        )
    return IndexUncertainty(ranks, _summarise(baseline.estimates, runs.estimates, ends, len(runs.entities)))


def sobol_sensitivity(
    experiment: IndexExperiment, n_base: int, rng: np.random.Generator, resamples: int = 200
) -> IndexSensitivity:
    """First and total order of every choice for the coefficient and for the ranks.

    Parameters
    ----------
    experiment
        Indices, choices and regression; n_base x (inputs + 2) full runs are made of it.
    n_base
        A power of 2; 4,096 keeps the half-widths below 0.05.
    rng
        Source of randomness.
    resamples
        Bootstrap samples behind each half-width.
    """
    runs = experiment.run(sobol_sample(experiment.inputs, n_base, rng))
    baseline = experiment.run(np.zeros((1, len(experiment.inputs))))
    outputs = {name: runs.estimates[name].to_numpy() for name in ("estimate", "standardised")}
    for name, ranks in runs.ranks.items():
        outputs[f"rank_shift_{name}"] = np.abs(ranks - baseline.ranks[name]).mean(axis=1)
    return IndexSensitivity(
        {name: sobol_indices(runs.inputs, output, rng, resamples=resamples) for name, output in outputs.items()}
    )


def _summarise(baseline: pd.DataFrame, runs: pd.DataFrame, ends: Sequence[float], entities: int) -> pd.DataFrame:
    rows = {}
    significant = (runs["estimate"] / runs["std_error"]).abs() > stats.t.ppf(ends[2], entities - 1)
    for name in ("estimate", "standardised"):
        low, median, high = runs[name].quantile(list(ends))
        own = baseline[name].iloc[0]
        rows[name] = {
            "baseline": own,
            "median": median,
            "ci_low": low,
            "ci_high": high,
            "share_same_sign": float((np.sign(runs[name]) == np.sign(own)).mean()),
            "share_significant": float(significant.mean()),
        }
    return pd.DataFrame(rows).T


def _ranks(means: Floats) -> Floats:
    """Rank along each row, 1 is best, ties share the better rank."""
    ranks = np.empty(means.shape)
    for row, values in enumerate(means):
        ranks[row] = 1 + values.size - np.searchsorted(np.sort(values), values + NOTHING, side="right")
    return ranks


def _check_names(panel: pd.DataFrame, indices: Mapping[str, Any], model: Specification) -> None:
    if not {model.outcome, model.treatment} & set(indices):
        raise StudyError(
            f"outcome {model.outcome}, treatment {model.treatment}",
            "neither is one of the indices, so no choice of theirs can move the coefficient",
            "give the index of one of them",
        )
    for name in (model.outcome, model.treatment, *model.controls):
        if name not in indices and name not in panel.columns:
            raise StudyError(f"column {name}", "the panel has no such column", "correct its name")

"""Whether a channel hangs on one entity or on one indicator: what a flagged jump and a heavy indicator do to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.index.build import build_index
from helpers.mediation.mediation import Mediation, fit_mediation
from helpers.mediation.shown import NUMBERS, complete_rows
from helpers.study.formula import parse_formula

if TYPE_CHECKING:
    from helpers.mediation.resampled import Samples
    from helpers.notebook import NotebookRun
    from helpers.study.study import Study


@dataclass(frozen=True)
class Leverage:
    """A channel with all rows, and without what carries most of it.

    Attributes
    ----------
    mediator
        Its name.
    entity, time, score, statistic
        Where the largest jump among the mediator's statistics is, and its robust score; None and 0 where none is.
    indicator
        The mediator's heaviest indicator; None where it is no index of several.
    fits
        "" with all rows, "without_jump" without that entity, "without_heaviest" without that indicator,
        "without_both" without either.
    """

    mediator: str
    entity: str | None
    time: int | None
    score: float
    statistic: str | None
    indicator: str | None
    fits: dict[str, Mediation]


def fit_leverage(panel: pd.DataFrame, study: Study, mediator: str, jumps: pd.DataFrame, samples: Samples) -> Leverage:
    """Fit a channel anew without the entity of its largest flagged jump, and without its heaviest indicator.

    Parameters
    ----------
    jumps
        The jumps that the cleaning flagged: columns column, entity, time, score.
    samples
        Bootstrap samples over the whole panel.
    """
    data = complete_rows(panel, [mediator])
    jump = find_jump(jumps, study, mediator)
    indicator = find_heaviest(data, study, mediator)
    entity = None if jump is None else str(jump["entity"])
    kept = data if entity is None else data.drop(index=entity, level=0)
    rows: dict[str, tuple[pd.DataFrame, str | None]] = {"": (data, None)}
    rows |= {"without_jump": (kept, None)} if entity is not None else {}
    rows |= {"without_heaviest": (data, indicator)} if indicator is not None else {}
    rows |= {"without_both": (kept, indicator)} if entity is not None and indicator is not None else {}
    fits = {name: _fit(part, study, mediator, without, samples) for name, (part, without) in rows.items() if len(part)}
    time, statistic = (None, None) if jump is None else (int(jump["time"]), str(jump["column"]))
    score = 0.0 if jump is None else float(jump["score"])
    return Leverage(mediator, entity, time, score, statistic, indicator, fits)


def find_jump(jumps: pd.DataFrame, study: Study, mediator: str) -> pd.Series | None:
    """The flagged jump with the largest score among the statistics that a mediator is made of, in analysed times."""
    index = study.indices.get(mediator)
    texts = [item.formula for item in index.indicators.values()] if index else [study.formulas[mediator]]
    statistics = {name for text in texts for name in parse_formula(text).columns}
    inside = jumps[jumps["column"].isin(statistics) & jumps["time"].isin(study.time.window)]
    return None if inside.empty else inside.iloc[int(inside["score"].to_numpy().argmax())]


def find_heaviest(data: pd.DataFrame, study: Study, mediator: str) -> str | None:
    """The heaviest indicator of a mediator that is an index of three or more, so that an index is left without it."""
    index = study.indices.get(mediator)
    if index is None or len(index.indicators) < 3:
        return None
    return str(build_index(data, index, study.sample.missing).weights.idxmax())


def largest_jump(found: dict[str, Leverage]) -> str | None:
    """The mediator behind which the figure jumps most, by robust score; None where none jumps."""
    jumping = {name: item.score for name, item in found.items() if item.entity is not None}
    return max(jumping, key=lambda name: jumping[name]) if jumping else None


def name_jump(run: NotebookRun, found: Leverage) -> dict[str, Any]:
    """What a sentence about a channel's largest jump names: the channel, the figure, and path b with it and without."""
    assert found.entity is not None
    key = f"mediation.{found.mediator}"
    return {
        "channel": run.label(found.mediator),
        "statistic": run.label(found.statistic or ""),
        "entity": run.label(found.entity),
        "time": run.record(f"{key}.jump.time", value=found.time, digits=0),
        "with_all": run.results[f"{key}.path_b"],
        "without": run.results[f"{key}.path_b.without_jump"],
    }


def judge_jump(found: Leverage) -> str:
    """What path b does once the entity of the largest jump is left out.

    "stays" where it moves by no more than its standard error; else "hides" where it moves away from zero on its side,
    and "carries" where it comes nearer to zero or changes its sign.
    """
    with_all, without = (found.fits[ending].path_b[found.mediator] for ending in ("", "without_jump"))
    assert with_all.std_error is not None
    if abs(with_all.estimate - without.estimate) <= with_all.std_error:
        return "stays"
    return "hides" if without.estimate / with_all.estimate > 1 else "carries"


def leverage_table(found: dict[str, Leverage], study: Study) -> pd.DataFrame:
    """One row per mediator and set of rows: path a, path b and the indirect effect."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for name, item in found.items():
        words = {
            "": "all rows",
            "without_jump": f"without {item.entity}",
            "without_heaviest": f"without {study.label(item.indicator or '')}",
            "without_both": f"without {item.entity} and {study.label(item.indicator or '')}",
        }
        for ending, fitted in item.fits.items():
            effect = fitted.indirect[name]
            paths = {"path_a": fitted.path_a[name].estimate, "path_b": fitted.path_b[name].estimate}
            numbers = {f"indirect_{column}": getattr(effect, column) for column in NUMBERS}
            rows[study.label(name), words[ending]] = {**paths, **numbers}
    index = pd.MultiIndex.from_tuples(rows, names=["mediator", "rows"])
    return pd.DataFrame(list(rows.values()), index=index)


def record_leverage(record: Callable[..., Any], found: dict[str, Leverage]) -> None:
    """Record ``mediation.<mediator>.{path_a,path_b,indirect_effect}.{without_jump,without_heaviest,without_both}``."""
    for name, item in found.items():
        for ending, fitted in item.fits.items():
            if ending:
                for part in ("path_a", "path_b", "indirect_effect"):
                    record(f"mediation.{name}.{part}.{ending}", fitted.effects()[part])


def _fit(data: pd.DataFrame, study: Study, mediator: str, without: str | None, samples: Samples) -> Mediation:
    index = study.indices.get(mediator)
    if index is not None:
        kept = {name: item for name, item in index.indicators.items() if name != without}
        index = index.model_copy(update={"indicators": kept})
        data = data.assign(**{mediator: build_index(data, index, study.sample.missing).values})
    specs = {} if index is None else {mediator: index}
    return fit_mediation(data, study.model(), [mediator], samples, indices=specs)

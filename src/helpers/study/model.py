"""A regression as an object: what is explained by what, which effects are absorbed, and what errors may share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.study.study import Study

Cluster = str | tuple[str, str] | None
LINE = 85
"""Letters of an equation on one line: so many stand on a sheet of paper."""


@dataclass(frozen=True)
class Model:
    """One regression: ``outcome ~ treatment + controls | effects, clustered by cluster``. It holds no data.

    Attributes
    ----------
    outcome, treatment, controls
        Names of columns.
    effects
        Which of "entity" and "time" are absorbed; with neither, an intercept is added.
    cluster
        "entity", "time", both, the name of a column, or None for errors that share nothing.
    entity, time
        What the study calls an entity and a time; for printing only.

    Examples
    --------
    >>> Model("output", "capital", ("labour",), ("entity", "time"), entity="firm", time="year")
    output ~ capital + labour | firm + year, clustered by firm
    """

    outcome: str
    treatment: str
    controls: tuple[str, ...] = ()
    effects: tuple[str, ...] = ("entity", "time")
    cluster: Cluster = "entity"
    entity: str = "entity"
    time: str = "time"

    @property
    def regressors(self) -> tuple[str, ...]:
        """The treatment first, then the controls."""
        return (self.treatment, *self.controls)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the panel that the model names: outcome, treatment, controls."""
        return (self.outcome, *self.regressors)

    @property
    def entity_effects(self) -> bool:
        """Whether entity effects are absorbed."""
        return "entity" in self.effects

    @property
    def time_effects(self) -> bool:
        """Whether time effects are absorbed."""
        return "time" in self.effects

    def with_(self, **changes: Any) -> Model:
        """The same model with some of its attributes changed."""
        return replace(self, **changes)

    @property
    def formula(self) -> str:
        """The model without its clusters, as R's fixest and pyfixest read it."""
        right = f"{self.outcome} ~ {' + '.join(self.regressors)}"
        effects = " + ".join(self._word(effect) for effect in self.effects)
        return f"{right}{f' | {effects}' if effects else ''}"

    def __str__(self) -> str:
        return f"{self.formula}{self._clustered()}"

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return f"`{self}`"

    def latex(self, labels: Mapping[str, str] | None = None) -> str:
        """The model as a display formula, variables by their labels in either language."""
        words = labels or {}
        terms = [rf"\beta\,\text{{{_escape(words.get(self.treatment, self.treatment))}}}_{{it}}"]
        terms += [
            rf"\gamma_{{{number}}}\,\text{{{_escape(words.get(name, name))}}}_{{it}}"
            for number, name in enumerate(self.controls, start=1)
        ]
        symbols = ((r"\alpha_i", self.entity_effects), (r"\lambda_t", self.time_effects))
        terms += [symbol for symbol, kept in symbols if kept]
        left = rf"\text{{{_escape(words.get(self.outcome, self.outcome))}}}_{{it}}"
        terms.append(r"\varepsilon_{it}")
        return f"$${_in_lines(left, terms)}$$"

    def _word(self, role: str) -> str:
        return {"entity": self.entity, "time": self.time}.get(role, role)

    def _clustered(self) -> str:
        names = (self.cluster,) if isinstance(self.cluster, str) else self.cluster or ()
        return f", clustered by {' and '.join(map(self._word, names))}" if names else ""


def build_model(study: Study, column: str | None = None) -> Model:
    """The model of one column of a study's ladder, the primary one by default."""
    asked, step = study.specification, study.ladder[column or study.primary]
    return Model(
        asked.outcome,
        asked.treatment,
        asked.controls if step.controls else (),
        step.effects,
        asked.cluster,
        entity=study.entity.name,
        time=study.time.name,
    )


def _in_lines(left: str, terms: Sequence[str]) -> str:
    """An equation on one line, or, where its labels are long, on several that stand under each other."""
    lines: list[list[str]] = [[]]
    for term in terms:
        if len(_plain(" + ".join([left, *lines[-1], term]))) > LINE and lines[-1]:
            lines.append([])
        lines[-1].append(term)
    first, *others = (" + ".join(line) for line in lines)
    if not others:
        return f"{left} = {first}"
    under = "".join(rf" \\ \quad + {line}" for line in others)
    return rf"\begin{{array}}{{l}}{left} = {first}{under}\end{{array}}"


def _plain(tex: str) -> str:
    """About as many letters as an equation shows: commands count as one."""
    return re.sub(r"\\text|[{}_,]", "", re.sub(r"\\(?!text)[a-z]+", "x", tex))


def _escape(text: str) -> str:
    plain = text.replace("\\", " ").replace("{", "(").replace("}", ")")
    return re.sub(r"[%_&#$]", lambda match: "\\" + match[0], plain)

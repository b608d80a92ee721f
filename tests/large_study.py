"""A small study of firms that fits both engines: gaps, formulas with lags, two indices, groups; written to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

YEARS = tuple(range(2010, 2018))
GROUPS = ("coast", "inland", "island")
MEASURES = ("patents", "websites", "debt", "sales", "staff", "age", "price")


def label(text: str) -> dict[str, str]:
    return {"en": text.title(), "zh": text}


CLAIMS = {
    "significance": 0.05,
    "sources": {"OWN": {"title": label("own"), "reference": label("none"), "kind": label("a claim")}},
    "claims": {
        "OWN-1": {
            "source": "OWN",
            "section": label("main"),
            "text": label("it pays"),
            "test": label("both tests are below the level"),
            "reads": {
                "primary": "baseline.{primary}.{treatment}",
                "bootstrap": "baseline.{primary}.{treatment}.wild",
            },
            "rule": {"supported": "primary.p_value < significance and bootstrap.p_value < significance"},
        }
    },
}


def make_rows(n_firms: int = 60, seed: int = 5) -> pd.DataFrame:
    """Firms by years; some rows are not there and some cells are empty."""
    rng = np.random.default_rng(seed)
    firm, n = np.repeat(np.arange(n_firms), len(YEARS)), n_firms * len(YEARS)
    own, group = rng.normal(size=n_firms)[firm], (np.arange(n_firms) % 3)[firm]
    digital = rng.normal(size=n) + own
    rows = pd.DataFrame(
        {
            "firm": [f"{number:04d}" for number in firm],
            "year": np.tile(YEARS, n_firms),
            "patents": np.exp(0.4 * digital + 0.3 * rng.normal(size=n)),
            "websites": 5 + digital + rng.normal(size=n),
            "debt": np.exp(-0.2 * digital + rng.normal(size=n)),
            "staff": np.exp(3 + own + 0.2 * rng.normal(size=n)),
            "age": 10 + rng.normal(size=n) + np.tile(np.arange(len(YEARS)) ** 1.5, n_firms),
            "price": 100 + rng.normal(size=n),
        }
    )
    effect = np.array([0.5, 0.3, 0.1])[group]
    rows["sales"] = np.exp(
        1 + effect * digital + 0.1 * rng.normal(size=n) + own + np.tile(np.arange(8) * 0.05, n_firms)
    )
    rows = rows.round(5)
    rows.loc[rng.random(n) < 0.03, "staff"] = np.nan
    return rows[rng.random(n) > 0.04].reset_index(drop=True)


def make_content(engine: str, file: str = "raw/firms.csv") -> dict[str, Any]:
    """The study file."""
    formulas = {"output": "log(sales)", "size": "log(staff)", "before": "lag(age)", "age": "age"}
    indicators = {"i_patents": ("patents", 1), "i_websites": ("websites", 1), "i_debt": ("log(debt)", -1)}
    steps = {
        "pooled": (False, []),
        "one_way": (True, ["entity"]),
        "period": (True, ["time"]),
        "two_way": (True, ["entity", "time"]),
    }
    dimensions = {"reach": "i_websites", "means": "i_patents"}
    return {
        "name": "firms", "title": label("firms"), "question": {"en": "Does it pay?", "zh": "有效吗？"}, "seed": 3,
        "engine": engine,
        "entity": {"name": "firm", "key": "firm", "label": label("firm")},
        "time": {"name": "year", "first": 2011, "last": 2017, "read_from": 2010, "label": label("year")},
        "columns": {name: {"file": file, "minimum": -1000, "label": label(name)} for name in MEASURES},
        "sample": {"missing": "drop"},
        "variables": {name: {"formula": text, "label": label(name)} for name, text in formulas.items()},
        "indices": {
            "digital": {
                "label": label("digital"),
                "dimensions": {name: {"label": label(name)} for name in dimensions},
                "indicators": {
                    name: {"formula": text, "direction": sign, "dimension": "reach" if name == "i_websites" else "means", "label": label(name)}
                    for name, (text, sign) in indicators.items()
                },
            }
        },
        "model": {"outcome": "output", "treatment": "digital", "controls": ["size", "before"]},
        "ladder": {name: {"label": label(name), "controls": own, "effects": kinds} for name, (own, kinds) in steps.items()},
        "primary": "two_way", "robustness": {}, "mediators": {},
        "regions": {"region": {"column": "region", "order": list(GROUPS), "labels": {name: label(name) for name in GROUPS}}},
        "presets": {"standard": {}, "quick": {}},
    }  # fmt: skip


def write_study(folder: Path, engine: str, kind: str = "csv", **changes: Any) -> Path:
    """A folder that a run reads; `changes` replace parts of the study file."""
    (folder / "raw").mkdir(parents=True)
    rows = make_rows()
    file = f"raw/firms.{kind}"
    if kind == "csv":
        rows.to_csv(folder / file, index=False)
    else:
        rows.to_parquet(folder / file)
    firms = sorted(rows["firm"].unique())
    groups = [GROUPS[int(firm) % 3] for firm in firms]
    pd.DataFrame({"firm": firms, "region": groups}).to_csv(folder / "units.csv", index=False)
    book = {"statistic": MEASURES, "name_en": MEASURES, "unit": "", "grade": "A", "note": ""}
    pd.DataFrame(book).to_csv(folder / "codebook.csv", index=False)
    content = {**make_content(engine, file), "name": folder.name, **changes}
    (folder / "study.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    (folder / "claims.yml").write_text(yaml.safe_dump(CLAIMS, allow_unicode=True), encoding="utf-8")
    (folder / "SOURCES.md").write_text("# Sources\n\nMade for a test.\n", encoding="utf-8")
    return folder

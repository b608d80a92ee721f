"""The claims recomputed from statistics in plain NumPy: which verdict must follow from which figures.

Nothing of the project is imported. Formulas of indicators, entropy weights, dummies and least squares, clustered t tests,
restricted wild draws and the words of the claims are written out here once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

YEARS = range(2015, 2022)
LEVEL = 0.05
MANY = 199_999


def indicators(s: pd.DataFrame) -> dict[str, dict[str, tuple[pd.Series, int, str]]]:
    """Index -> indicator -> figures, direction, dimension."""
    pop, gdp, spent = s["population"], s["gdp"], s["fiscal_expenditure"]
    prices = s["cpi"].unstack() / 100
    prices[2013] = 1.0
    level = prices.cumprod(axis=1)
    price = pd.Series(level.div(level[2015], axis=0).stack()).reindex(s.index)
    tech, firm, home = "technology", "organisation", "environment"
    dose = {
        "rd_intensity": (s["industrial_rd_expenditure"] / 1e4 / gdp, 1, tech),
        "rd_personnel": (s["industrial_rd_personnel_fte"] / pop, 1, tech),
        "invention_patents": (s["invention_patents_granted"] / pop, 1, tech),
        "tech_market": (s["tech_market_turnover"] / gdp, 1, tech),
        "software": (s["software_revenue"] / 1e4 / gdp, 1, tech),
        "websites": (s["websites_per_100_enterprises"], 1, firm),
        "ecommerce_firms": (s["ecommerce_enterprise_share"], 1, firm),
        "ecommerce_sales": (s["ecommerce_sales"] / gdp, 1, firm),
        "computers": (s["computers_per_100_employees"], 1, firm),
        "mobile_phones": (s["mobile_phone_penetration"], 1, home),
        "broadband": (s["broadband_subscribers"] / pop, 1, home),
        "domains": (s["domain_names"] / pop, 1, home),
        "web_pages": (s["web_pages"] / pop, 1, home),
    }
    economy, service, green = "economic_regulation", "public_service", "environment_protection"
    reply = {
        "growth": (s["gdp_index"] - 100, 1, economy),
        "real_income": (s["disposable_income_pc"] / price, 1, economy),
        "self_sufficiency": (s["fiscal_revenue"] / spent, 1, economy),
        "enterprises": (s["enterprise_legal_persons"] / pop, 1, "market_regulation"),
        "tax_share": (s["tax_revenue"] / s["fiscal_revenue"], 1, "market_regulation"),
        "unemployment": (s["registered_unemployment_rate"], -1, "social_management"),
        "income_gap": (s["urban_rural_income_ratio"], -1, "social_management"),
        "beds": (s["beds_per_10k"], 1, service),
        "library": (s["library_holdings_pc"], 1, service),
        "roads": (s["road_area_pc"], 1, service),
        "transit": (s["public_transit_per_10k"], 1, service),
        "so2": (s["so2_emissions"] / gdp, -1, green),
        "sewage": (s["sewage_treatment_rate"], 1, green),
        "green_budget": (s["exp_environment"] / spent, 1, green),
    }
    networks = {
        "ports": (s["broadband_access_ports"] / pop, 1, "base"),
        "cable": (s["optical_cable_length"] / pop, 1, "base"),
        "switch": (s["mobile_switch_capacity"] / pop, 1, "base"),
    }
    return {"dose": dose, "reply": reply, "base": networks}


def entropy_index(parts: dict[str, tuple[pd.Series, int, str]]) -> pd.DataFrame:
    """The index under "" and every dimension's own score under its name."""
    scores, belongs = {}, {}
    for name, (figures, direction, dimension) in parts.items():
        inside = figures[figures.index.get_level_values(1).isin(YEARS)]
        scaled = (inside - inside.min()) / (inside.max() - inside.min())
        scores[name], belongs[name] = (scaled if direction > 0 else 1 - scaled), dimension
    table = pd.DataFrame(scores)
    share = table / table.sum()
    entropy = -(share * np.log(share.where(share > 0, 1))).sum() / np.log(len(table))
    weight = (1 - entropy) / (1 - entropy).sum()
    out = pd.DataFrame({"": table @ weight})
    for dimension in dict.fromkeys(belongs.values()):
        own = [name for name, place in belongs.items() if place == dimension]
        out[dimension] = table[own] @ weight[own] / weight[own].sum()
    return out


@dataclass(frozen=True)
class Slope:
    """An estimate with its p-value by t and by the restricted wild bootstrap."""

    estimate: float
    p_value: float
    wild: float

    def clear(self, sign: int) -> bool:
        """The sign asked for, by both tests."""
        return self.estimate * sign > 0 and max(self.p_value, self.wild) < LEVEL


def regress(
    y: pd.Series,
    x: Sequence[pd.Series],
    effects: str = "it",
    cluster: str = "entity",
    draws: int = 4999,
) -> Slope:
    """The first of x on y with effects of entities (i) and times (t); more draws where the p-value is near the level."""
    frame = pd.concat([y, *x], axis=1).dropna()
    units, times = (pd.factorize(frame.index.get_level_values(place))[0] for place in (0, 1))
    groups = units if cluster == "entity" else times
    others = [np.ones((len(frame), 1))]
    if "i" in effects:
        others.append(np.eye(units.max() + 1)[units][:, 1:])
    if "t" in effects:
        others.append(np.eye(times.max() + 1)[times][:, 1:])
    basis = np.linalg.qr(np.hstack(others))[0]
    inside = frame.to_numpy(dtype=float) - basis @ (basis.T @ frame.to_numpy(dtype=float))
    target, columns = inside[:, 0], inside[:, 1:]
    inverse = np.linalg.inv(columns.T @ columns)
    slopes = inverse @ columns.T @ target
    left = target - columns @ slopes
    weight = columns @ inverse[:, 0]
    n_groups, n = int(groups.max()) + 1, len(frame)
    member = np.eye(n_groups)[groups]
    nested = "i" in effects and cluster != "entity"
    counted = columns.shape[1] + ("t" in effects) * (times.max() * (cluster == "entity")) + 1 + nested * units.max()
    factor = n_groups / (n_groups - 1) * (n - 1) / (n - counted)
    error = np.sqrt(factor * np.sum((member.T @ (weight * left)) ** 2))
    t = slopes[0] / error
    rest = np.delete(columns, 0, axis=1)
    null = target - (rest @ np.linalg.lstsq(rest, target, rcond=None)[0] if rest.shape[1] else 0.0)
    blocks = member * null[:, None]
    fitted = blocks - basis @ (basis.T @ blocks)
    fitted = fitted - columns @ (inverse @ (columns.T @ fitted))
    scores, changes = weight @ blocks, member.T @ (weight[:, None] * fitted)
    if 2**n_groups <= max(4096, draws):
        signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * n_groups)).reshape(n_groups, -1).T
    else:
        signs = np.random.default_rng(77).choice([-1.0, 1.0], size=(draws, n_groups))
    drawn = (signs @ scores) / np.sqrt(factor * np.sum((signs @ changes.T) ** 2, axis=1))
    wild = float(np.mean(np.abs(drawn) >= abs(t) * (1 - 1e-9)))
    if draws < MANY and abs(wild - LEVEL) < 0.015:
        return regress(y, x, effects, cluster, MANY)
    return Slope(float(slopes[0]), float(2 * stats.t.sf(abs(t), n_groups - 1)), wild)


def compare(first: np.ndarray, second: np.ndarray) -> Slope:
    """Difference of two means, by Welch and by the wild bootstrap over single figures."""
    index = pd.MultiIndex.from_product([range(len(first) + len(second)), [0]])
    y = pd.Series(np.r_[first, second], index)
    x = pd.Series(np.repeat([1.0, 0.0], [len(first), len(second)]), index)
    found = regress(y, [x], effects="")
    return Slope(found.estimate, float(stats.ttest_ind(first, second, equal_var=False).pvalue), found.wild)


def standard(values: pd.Series) -> pd.Series:
    """z-score with n - 1."""
    return (values - values.mean()) / values.std()


def told(contradicted: bool, supported: bool, partly: bool = False) -> str:
    """The first condition that holds."""
    if contradicted:
        return "contradicted"
    if supported:
        return "supported"
    return "partly_supported" if partly else "not_supported"


def plain(slope: Slope, sign: int, without: Slope | None = None) -> str:
    """Judged by one coefficient, and by the same without year effects."""
    return told(slope.clear(-sign), slope.clear(sign), without is not None and without.clear(sign))


def judge(s: pd.DataFrame, regions: pd.Series, borders: pd.DataFrame, cluster: str = "entity") -> dict[str, str]:
    """Claim -> verdict, from statistics by province and year."""
    made = {name: entropy_index(parts) for name, parts in indicators(s).items()}
    dose, reply, base = (made[name][""].rename(name) for name in ("dose", "reply", "base"))
    parts, functions = made["dose"].drop(columns=""), made["reply"].drop(columns="")
    asked = {
        "urbanisation": s["urbanisation_rate"],
        "tertiary": s["tertiary_va"] / s["gdp"],
        "openness": s["trade_cny"] / s["gdp"],
        "human_capital": s["he_students"] / s["population"],
        "government_size": s["fiscal_expenditure"] / s["gdp"],
    }
    controls = [values.reindex(dose.index).rename(name) for name, values in asked.items()]

    def both(y: pd.Series, x: Sequence[pd.Series], sign: int) -> str:
        slopes = [regress(y, [*x, *controls], effects, cluster) for effects in ("it", "i")]
        return plain(slopes[0], sign, slopes[1])

    out = {"EMP-1": plain(regress(reply, [dose, *controls], "it", cluster), 1)}
    t, o = (parts[name] - parts[name].mean() for name in ("technology", "organisation"))
    out["HOL-1"] = both(reply, [(t * o).rename("product"), t, o, parts["environment"]], 1)
    scores = parts.to_numpy()
    mean = pd.Series(scores.mean(axis=1), dose.index, name="mean")
    coupling = pd.Series(np.prod(scores, axis=1) ** (1 / 3), dose.index, name="coupling") / mean
    out["HOL-4"] = both(reply, [coupling.rename("coupling"), mean], 1)
    spread = functions.apply(standard).std(axis=1).rename("spread")
    out["HOL-3b"] = both(spread, [dose], 1)
    rural = s["population"] - s["urban_population"]
    poor = (s["rural_min_living_recipients"] / rural).reindex(dose.index).rename("poor")
    out["EMP-9"] = both(poor[poor.index.get_level_values(1) <= 2019], [base], -1)
    wide = dose.unstack()
    near = pd.DataFrame(0.0, wide.index, wide.index)
    for one, other in borders.to_numpy():
        if one in near.index and other in near.index:
            near.loc[one, other] = near.loc[other, one] = 1.0
    lagged = near.div(near.sum(axis=1), axis=0) @ wide
    out["EMP-11"] = both(reply, [pd.Series(lagged.stack()).reindex(dose.index).rename("near"), dose], 1)
    return out | _over_time(s, dose, reply, functions, controls, cluster) | _between(dose, regions)


def _over_time(
    s: pd.DataFrame,
    dose: pd.Series,
    reply: pd.Series,
    functions: pd.DataFrame,
    controls: list[pd.Series],
    cluster: str,
) -> dict[str, str]:
    def before(values: pd.Series) -> pd.Series:
        return values.groupby(level=0).shift(1).rename(f"{values.name}_before")

    years = dose.index.get_level_values(1)
    z = standard(dose.xs(2019, level=1)).reindex(dose.index.get_level_values(0)).to_numpy()
    crisis = [pd.Series(z * (years == year), dose.index, name=str(year)) for year in (2020, 2021)]
    growth = (s["gdp_index"] - 100).reindex(dose.index).rename("growth")
    out = {"MOD-4": plain(regress(growth, crisis, "it", cluster), 1)}
    ways = [
        regress(reply, [before(dose), before(reply), *controls], "it", cluster),
        regress(dose, [before(reply), before(dose), *controls], "it", cluster),
    ]
    right = [way.clear(1) for way in ways]
    out["DAT-6"] = told(any(way.clear(-1) for way in ways), all(right), any(right))
    log = np.log(functions["public_service"]).rename("log")
    rows = pd.concat([(log - before(log)).rename("change"), before(log), before(dose)], axis=1).dropna()
    level, driver = rows["log_before"] - rows["log_before"].mean(), standard(rows["dose_before"])
    x = [(level * driver).rename("product"), level, driver]
    past = [before(values).reindex(rows.index) for values in controls]
    speed = regress(rows["change"], x, "t", cluster)
    own = regress(rows["change"], [*x, *past], "it", cluster)
    out["MOD-1b"] = told(speed.clear(1), speed.clear(-1), own.clear(-1))
    return out


def _between(dose: pd.Series, regions: pd.Series) -> dict[str, str]:
    wide = dose.unstack()
    place = regions.reindex(wide.index)
    growth = (np.log(wide[2021]) - np.log(wide[2015])) / 6
    out = {}
    measures: dict[str, pd.Series] = {"EMP-7a": wide[2015], "EMP-7b": growth}
    for name, values in measures.items():
        gaps = [
            compare(values[place == "east"].to_numpy(), values[place == other].to_numpy())
            for other in ("central", "west")
        ]
        signs = all(gap.estimate > 0 for gap in gaps)
        out[name] = told(any(gap.clear(-1) for gap in gaps), all(gap.clear(1) for gap in gaps), signs)
    member = {name: (place == name).reindex(dose.index.get_level_values(0)).to_numpy(float) for name in place.unique()}
    means = {name: float(dose[values == 1].mean()) for name, values in member.items()}
    ahead = means["east"] > max(means["central"], means["west"])
    tests = []
    for rest in ("west", "central"):
        # East beside the mean of the region that is left out.
        x = [pd.Series(member[name], dose.index, name=name) for name in ("east", rest)]
        tests.append(regress(dose, x, ""))
    low = [test.clear(1) for test in tests]
    out["EMP-5"] = told(any(test.clear(-1) for test in tests), ahead and all(low), ahead and any(low))
    return out

"""Planted changes move the verdicts that they must move, and other draws move none.

Outside: an oracle in this file, written from the words of the claims in plain Python; it reads no rule of the claims
file and calls none of the project's code. Verdicts are words, so that no tolerance is needed. A change is planted in one
or two results (or in all that a clustering touches); at least 95 % of the verdicts that the oracle moves must be found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from helpers.claims.file import Claims, load_claims
from helpers.claims.verdicts import expand_words, judge_claims

PROVINCES = Path(__file__).parents[2] / "data" / "provinces"
ROWS = ("one", "two", "three", "four", "five")
WORDS = {"primary": "twoway", "treatment": "dose", "row": ROWS}
GAPS = ("income_gap", "consumption_gap")
FACTORS = {"SOQ-2": "security", "SOQ-3": "cohesion", "SOQ-4": "trust", "SOQ-5": "empowerment"}
FEATURES = {"DAT-1": "cloud_infrastructure", "DAT-2": "all_touchpoints", "DAT-3": "online_business"}
FEATURES["DAT-4"] = "data_operation"
CHANNELS = {"EMP-3a": "digital_infrastructure", "EMP-3b": "digital_population", "EMP-3c": "digital_services"}
# Judged by one coefficient: key, sign of the claim, whether a verdict without year effects is partly supported.
PLAIN = {
    "EMP-1": ("baseline.twoway.dose", 1, False),
    "EMP-9": ("gaps.rural_poor.digital_infrastructure", -1, True),
    "EMP-11": ("spatial.neighbours.dose", 1, True),
    "MOD-4": ("crisis.growth", 1, False),
    "HOL-1": ("coordination.interaction", 1, True),
    "HOL-3b": ("coordination.function_spread", 1, True),
    "HOL-4": ("coordination.coupling_given_mean", 1, True),
}
Table = dict[str, dict[str, float]]
LEVEL = 0.05


class Oracle:
    """The claims in plain Python: what the words of each say of a table of results."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def _signed(self, key: str, sign: int) -> bool:
        """The right sign and significant by the p-value that is recorded (t, or the family's)."""
        return self.table[key]["estimate"] * sign > 0 and self.table[key]["p_value"] < LEVEL

    def _clear(self, key: str, sign: int) -> bool:
        """The same by the t test and by the wild bootstrap."""
        return self._signed(key, sign) and self.table[f"{key}.wild"]["p_value"] < LEVEL

    def _sign(self, key: str) -> float:
        return float(np.sign(self.table[key]["estimate"]))

    @staticmethod
    def _first(contradicted: bool, supported: bool, partly: bool = False) -> str:
        named = {"contradicted": contradicted, "supported": supported, "partly_supported": partly}
        return next((name for name, holds in named.items() if holds), "not_supported")

    def verdicts(self) -> dict[str, str]:
        """Claim -> verdict, for every claim that can be tested."""
        out = {name: self._plain(*told) for name, told in PLAIN.items()}
        out |= {name: self._channel(f"mediation.{part}") for name, part in CHANNELS.items()}
        out |= {name: self._family([(f"features.{part}", 1)], f"features.{part}") for name, part in FEATURES.items()}
        out |= {name: self._factor(part) for name, part in FACTORS.items()}
        others = (self._of_effectiveness, self._of_services, self._of_coordination, self._of_society, self._of_policy)
        for made in others:
            out |= made()
        return out

    def _plain(self, key: str, sign: int, with_partly: bool) -> str:
        without = with_partly and self._clear(f"{key}.without_years", sign)
        return self._first(self._clear(key, -sign), self._clear(key, sign), without)

    def _channel(self, key: str) -> str:
        a, b, product = f"{key}.path_a", f"{key}.path_b", self.table[f"{key}.indirect_effect"]
        both, above = self._clear(a, 1) and self._clear(b, 1), product["ci_low"] > 0
        signs = self._sign(a) > 0 and self._sign(b) > 0
        return self._first(product["ci_high"] < 0, both and above, signs and (above or both))

    def _family(self, asked: list[tuple[str, int]], without: str | None = None) -> str:
        """All of a family: supported when all, contradicted when one is of the other sign."""
        right = [self._signed(key, sign) for key, sign in asked]
        partly = self._signed(f"{without}.without_years", asked[0][1]) if without else any(right)
        return self._first(any(self._signed(key, -sign) for key, sign in asked), all(right), partly)

    def _factor(self, name: str) -> str:
        gap, rises = f"society.trend_gap.{name}", self._signed(f"society.factor.{name}.dose", 1)
        lags = self._clear(gap, 1)
        return self._first(self._clear(gap, -1), lags and not rises, lags)

    def _of_effectiveness(self) -> dict[str, str]:
        t, rows = self.table, [f"robustness.{row}.dose" for row in ROWS]
        joint = [
            f"robustness.multiverse.joint.{name}" for name in ("median_standardised", "share_significant", "stouffer")
        ]
        share = sum(self._clear(row, 1) for row in rows) / len(rows)
        median = self._sign(joint[0]) > 0
        all_joint = all(t[key]["p_value"] < LEVEL for key in joint)
        robust = self._first(
            sum(self._clear(row, -1) for row in rows) / len(rows) >= 0.5,
            share >= 0.8 and median and all_joint,
            share >= 0.5 and median,
        )
        infra, level = "heterogeneity.infrastructure.dose", "heterogeneity.level.dose"
        cut = "heterogeneity.threshold.digital_infrastructure.without_years"
        above = t[cut]["p_value"] < LEVEL and t[f"{cut}.high"]["estimate"] > t[f"{cut}.low"]["estimate"]
        both = [self._clear(infra, 1), self._clear(level, 1)]
        where = self._first(self._clear(infra, -1) or self._clear(level, -1), all(both), any(both) or above)
        chain = t["mediation.chain.indirect_effect"]
        linked = chain["ci_low"] > 0 and self._clear("mediation.chain.link", 1)
        along = self._first(
            chain["ci_high"] < 0, linked, t["mediation.chain.indirect_effect.without_years"]["ci_low"] > 0
        )
        return {"EMP-2": robust, "EMP-6": where, "EMP-12": along, **self._of_regions()}

    def _of_regions(self) -> dict[str, str]:
        t = self.table
        pairs = [f"region.{pair}.dose" for pair in ("east_minus_central", "central_minus_west", "east_minus_west")]
        slopes = [t[f"region.{name}.dose"]["estimate"] for name in ("east", "central", "west")]
        falls = slopes[0] > slopes[1] > slopes[2]
        p_low = [t[key]["p_value"] < LEVEL and t[f"{key}.wild"]["p_value"] < LEVEL for key in pairs]
        order = self._first(
            any(self._clear(key, -1) for key in pairs), falls and p_low[0] and p_low[1], falls and p_low[2]
        )
        out = {"EMP-4": order}
        levels = [t[f"region.{name}.mean.dose"]["value"] for name in ("east", "central", "west")]
        apart = [f"region.east_minus_{other}.mean.dose" for other in ("central", "west")]
        low = [max(t[key]["p_value"], t[f"{key}.wild"]["p_value"]) < LEVEL for key in apart]
        ahead = levels[0] > max(levels[1:])
        out["EMP-5"] = self._first(any(self._clear(key, -1) for key in apart), ahead and all(low), ahead and any(low))
        for name, what in {"EMP-7a": "first", "EMP-7b": "growth"}.items():
            asked = [f"region.east_minus_{other}.{what}.dose" for other in ("central", "west")]
            out[name] = self._first(
                any(self._clear(key, -1) for key in asked),
                all(self._clear(key, 1) for key in asked),
                all(self._sign(key) > 0 for key in asked),
            )
        return out

    def _of_services(self) -> dict[str, str]:
        t, by = self.table, "digital_infrastructure"
        access, gaps = f"gaps.rural_access.{by}", [f"gaps.{gap}.{by}" for gap in GAPS]
        narrow = any(self._signed(gap, -1) for gap in gaps) or self._signed(f"{access}.without_years", 1)
        wide = self._signed(access, -1) or any(self._signed(gap, 1) for gap in gaps)
        out = {"EMP-8": self._first(wide, self._signed(access, 1), narrow)}
        functions = ("economic_regulation", "social_management", "environment_protection")
        out["EMP-10"] = self._family([(f"functions.{name}.digital_services", 1) for name in functions])
        gini = t["services.gini_change"]
        falls = self._clear("services.sigma", -1) and self._clear("services.beta", -1)
        out["MOD-1a"] = self._first(gini["ci_low"] > 0, falls and gini["ci_high"] < 0, gini["ci_high"] < 0)
        speed, own = "services.speed.dose", "services.speed_twoway.dose"
        out["MOD-1b"] = self._first(self._clear(speed, 1), self._clear(speed, -1), self._clear(own, -1))
        three = [f"functions.{name}.dose" for name in ("social_management", "public_service", "environment_protection")]
        against = self._clear("functions.service_gap.dose", -1) or any(self._signed(key, -1) for key in three)
        one = any(self._signed(key, 1) or self._signed(f"{key}.without_years", 1) for key in three)
        out["MOD-2"] = self._first(against, all(self._signed(key, 1) for key in three), one)
        out["MOD-3"] = self._family([("shift.admin_share.dose", -1), ("shift.service_share.dose", 1)])
        four = ("private_firms", "self_employed", "social_organisations", "enterprises")
        out["MOD-5"] = self._family([(f"vitality.{name}.dose", 1) for name in four])
        return out

    def _of_coordination(self) -> dict[str, str]:
        t, square, cut = self.table, "returns.square", "returns.threshold.dose"
        wide, narrow = t["returns.within_correlation"], t["returns.within_correlation.narrow"]
        weak = narrow["ci_low"] > -0.3 and narrow["ci_high"] < 0.3
        out = {"HOL-2a": self._first(wide["ci_low"] > 0.3, weak, wide["ci_low"] < 0 < wide["ci_high"])}
        rise = t[f"{cut}.high"]["estimate"] - t[f"{cut}.low"]["estimate"]
        told = t[cut]["p_value"] < LEVEL
        out["HOL-2b"] = self._first(
            self._clear(square, 1) or (told and rise > 0),
            self._clear(square, -1) and self._clear("returns.slope_low", 1),
            self._clear(f"{square}.without_years", -1) or (told and rise < 0),
        )
        gini, sigma = t["divergence.gini_change"], "divergence.sigma"
        out["HOL-3a"] = self._first(
            gini["ci_high"] < 0 and self._clear(sigma, -1),
            gini["ci_low"] > 0 and self._clear(sigma, 1),
            self._clear("divergence.points", 1),
        )
        cross = ("loop.outcome", "loop.treatment")
        right = [self._clear(key, 1) for key in cross]
        out["DAT-6"] = self._first(any(self._clear(key, -1) for key in cross), all(right), any(right))
        return out

    def _of_society(self) -> dict[str, str]:
        out = {}
        parts = []
        for end in ("", ".without_years"):
            government, social, gap = (f"society.{name}.dose{end}" for name in ("government", "social", "gap"))
            parts.append(self._clear(government, 1) and not self._clear(social, 1) and self._clear(gap, 1))
        gap = "society.gap.dose"
        out["SOQ-1"] = self._first(self._clear(gap, -1), parts[0], self._clear(gap, 1) or parts[1])
        security, lead = "society.ground.security", "society.ground.security_minus_others"
        out["SOQ-6"] = self._first(
            self._clear(security, -1), self._clear(security, 1) and self._clear(lead, 1), self._clear(security, 1)
        )
        keys = {f"gaps.{name}.dose": 1 for name in GAPS} | {"gaps.rural_access.dose": -1}
        out["SOQ-7"] = self._first(
            any(self._signed(key, -sign) for key, sign in keys.items()),
            any(self._signed(key, sign) for key, sign in keys.items()),
            any(self._signed(f"{key}.without_years", sign) for key, sign in keys.items()),
        )
        return out

    def _of_policy(self) -> dict[str, str]:
        first, second = "policy.egov_pilots.treatment", "policy.egov_pilots.outcome"
        parallel = self.table["policy.egov_pilots.pretrend"]["p_value"] > 0.1
        effect = self._clear(second, 1)
        return {"DAT-7": self._first(self._clear(second, -1), effect and self._clear(first, 1) and parallel, effect)}


@cache
def claims() -> Claims:
    return load_claims(PROVINCES)


def keys() -> list[str]:
    read = [text for claim in claims().claims.values() for text in claim.reads.values()]
    return sorted({key for text in read for key in expand_words("test", text, WORDS)})


def judged(table: Table) -> dict[str, str]:
    found = judge_claims(claims(), table, WORDS)
    return {name: item.verdict for name, item in found.items() if item.verdict != "not_testable"}


def drawn(seed: int, clear: float = 0.7) -> Table:
    """A table of results: signs and p-values drawn, never near the level; a bootstrap agrees with its t test mostly."""
    rng = np.random.default_rng(seed)
    table: Table = {}
    for key in keys():
        base = table.get(key.removesuffix(".wild"), {})
        told = base["p_value"] < LEVEL if base and rng.random() < 0.8 else rng.random() < clear
        estimate = base.get("estimate", float(rng.choice([-1.0, 1.0, 1.0]) * rng.uniform(0.1, 2.0)))
        half = abs(estimate) * (0.5 if told else 1.5)
        p_value = float(rng.uniform(0.0001, 0.02) if told else rng.uniform(0.2, 0.9))
        table[key] = {"estimate": estimate, "value": estimate, "p_value": p_value, "draws": 99999}
        table[key] |= {"ci_low": estimate - half, "ci_high": estimate + half}
    return table


def flip_sign(table: Table, key: str, _: np.random.Generator) -> None:
    row = table[key]
    row["estimate"], row["value"] = -row["estimate"], -row["value"]
    row["ci_low"], row["ci_high"] = -row["ci_high"], -row["ci_low"]


def drop_province(table: Table, key: str, _: np.random.Generator) -> None:
    """Without the province that carries it, an estimate is near nothing and its interval holds zero."""
    row = table[key]
    row["estimate"] = row["value"] = 0.02 * row["estimate"]
    row["p_value"], row["ci_low"], row["ci_high"] = 0.7, -0.5, 0.5


def other_clustering(table: Table, key: str, _: np.random.Generator) -> None:
    row = table[key]
    row["p_value"] = 0.3 if row["p_value"] < LEVEL else 0.01


def swap_year(table: Table, key: str, rng: np.random.Generator) -> None:
    """Figures of another year: another estimate with another p-value."""
    table[key] = deepcopy(drawn(int(rng.integers(10_000, 20_000)))[key])


def exchange_labels(table: Table, key: str, rng: np.random.Generator) -> None:
    other = str(rng.choice([name for name in table if name != key]))
    table[key], table[other] = table[other], table[key]


CHANGES: tuple[Callable[[Table, str, np.random.Generator], None], ...] = (
    flip_sign,
    drop_province,
    other_clustering,
    swap_year,
    exchange_labels,
)


def planted(per_kind: int = 60) -> Iterator[tuple[str, int, Table]]:
    rng = np.random.default_rng(20240915)
    for change in CHANGES:
        for number in range(per_kind):
            after = drawn(number % 20)
            change(after, str(rng.choice(list(after))), rng)
            yield change.__name__, number % 20, after


@pytest.mark.parametrize("seed", range(25))
def test_oracle_and_rules_agree(seed: int) -> None:
    table = drawn(seed, clear=0.2 + 0.03 * seed)
    assert judged(table) == Oracle(table).verdicts()


def test_every_testable_claim_of_the_file_has_its_oracle() -> None:
    assert Oracle(drawn(0)).verdicts().keys() == judged(drawn(0)).keys()


@pytest.mark.slow("hundreds of planted tables, each judged twice")
def test_planted_changes_move_the_verdicts_that_they_must_move() -> None:
    must, found, wrong, kinds = 0, 0, 0, set()
    standing = {number: judged(drawn(number)) for number in range(20)}
    for kind, number, after in planted():
        told, asked = judged(after), standing[number]
        old, new = Oracle(drawn(number)).verdicts(), Oracle(after).verdicts()
        moved = [name for name in new if new[name] != old[name]]
        kinds |= {kind} if moved else set()
        must += len(moved)
        found += sum(told[name] == new[name] for name in moved)
        wrong += sum(told[name] != asked[name] for name in new if name not in moved)
    assert kinds == {change.__name__ for change in CHANGES}
    assert must >= 60
    assert (found / must >= 0.95, wrong) == (True, 0)


def clean_draws(table: Table, seed: int) -> Table:
    """The same results from other draws: drawn p-values within three Monte-Carlo errors, ends of intervals likewise."""
    rng, out = np.random.default_rng(seed), deepcopy(table)
    for row in out.values():
        error = np.sqrt(row["p_value"] * (1 - row["p_value"]) / row["draws"])
        row["p_value"] = float(np.clip(row["p_value"] + error * np.clip(rng.normal(), -3, 3), 1e-5, 1.0))
        for end in ("ci_low", "ci_high"):
            row[end] += 0.01 * row[end] * float(np.clip(rng.normal(), -3, 3))
    return out


@pytest.mark.parametrize("seed", range(20))
def test_other_seeds_move_no_verdict(seed: int) -> None:
    table = drawn(seed)
    assert judged(clean_draws(table, 1000 + seed)) == judged(table)

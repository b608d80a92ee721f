"""Facts about how cells of other people's tables are read: numbers by the whole column, periods of every kind, names.

Every case of a kind goes through `adopt` and its check, and the estimate of what was adopted is compared with dummies in
plain numpy (`own_tables.least_squares`) to 1e-8, which is far above rounding and far below any misread figure.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.claims.file import load_claims
from helpers.cleaning.series import find_moved_times
from helpers.errors import StudyError
from helpers.own.adopt import Adopted, adopt
from helpers.reading.names import is_total, near_misses
from helpers.reading.numbers import UndecidedError
from helpers.reading.proposal import Options
from helpers.reading.propose import propose
from helpers.reading.times import find_kind, read_times
from helpers.regression.specification import specify
from helpers.runner.check import check_data, check_study
from helpers.study.data import Label
from helpers.study.periods import show_period
from helpers.study.study import load_study
from own_tables import NAMES, YEARS, least_squares, make_panel, write

ROOT = Path(__file__).resolve().parents[2]
PANEL = make_panel()
FLAT: Any = PANEL.reset_index()
CSV = FLAT.to_csv(index=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that has the two studies with lists of units."""
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    for study in ("provinces", "countries"):
        (root / "data" / study).mkdir()
        for name in ("study.yml", "units.csv"):
            shutil.copy(ROOT / "data" / study / name, root / "data" / study / name)
    return root


def adopted(text: str, project: Path, options: Options | None = None, name: str = "mine") -> Adopted:
    return adopt(write(project.parent / "t.csv", text), project, name, options, check_study)


def estimate(found: Adopted) -> float:
    """The primary estimate of an adopted study, as a run would fit it."""
    study = load_study(found.folder)
    step = specify(check_data(study).panel, study)
    return float(step.fit().estimates[step.treatment])


def refused(text: str, project: Path, match: str, options: Options | None = None) -> StudyError:
    before = sorted(project.rglob("*"))
    with pytest.raises(StudyError, match=match) as caught:
        adopted(text, project, options)
    assert sorted(project.rglob("*")) == before, "nothing is left behind"
    return caught.value


def comma(value: float) -> str:
    return f"{value}".replace(".", ",")


def semicolons(scale: Callable[[float], str]) -> str:
    rows = [f"{r.place};{r.year};{scale(r.wait)};{scale(r.booking)};{scale(r.staff)}" for r in FLAT.itertuples()]
    return "\n".join(["place;year;wait;booking;staff", *rows]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        semicolons(comma),
        semicolons(lambda value: f"{1000 * value:_.2f}".replace(".", ",").replace("_", ".")),
        "\n".join(
            ["place,year,wait,booking,staff"]
            + [f'{r.place},{r.year},"{1e5 * r.wait:,.1f}",{r.booking},{r.staff}' for r in FLAT.itertuples()]
        ),
        CSV.replace(str(PANEL["wait"].iloc[3]), f"{PANEL['wait'].iloc[3]}*"),
        CSV.replace(str(PANEL["wait"].iloc[3]), f"{PANEL['wait'].iloc[3]} b"),
        CSV.replace(str(PANEL["wait"].iloc[3]), f"{PANEL['wait'].iloc[3]}¹"),
        CSV.replace("5", "５"),
        CSV.replace("\n", "\r\n"),
        CSV.replace(",", "|"),
    ],
    ids=[
        "plain",
        "decimal commas",
        "points of thousands",
        "commas of thousands",
        "mark",
        "flag",
        "superscript",
        "wide",
        "line ends",
        "bars",
    ],
)
def test_numbers_are_read_as_they_are_meant(text: str, project: Path) -> None:
    found = adopted(text, project)
    study = load_study(found.folder)
    figures = check_data(study).panel
    scale = figures["wait"].iloc[0] / PANEL["wait"].iloc[0]
    other = figures["booking"].iloc[0] / PANEL["booking"].iloc[0]
    expected = least_squares(PANEL, "wait", "booking", ["staff"]) * scale / other
    assert scale in (pytest.approx(1), pytest.approx(1000), pytest.approx(1e5))
    assert estimate(found) == pytest.approx(expected, rel=1e-3 if scale > 1 else 1e-8)


@pytest.mark.parametrize("mark", ["NA", "NaN", "NULL", "#N/A", ".", ".a", "..", ":", ": c", "n.a.", "–", "", "缺失"])
def test_marks_of_a_missing_figure_are_gaps_that_are_counted(mark: str, project: Path) -> None:
    gaps = FLAT.assign(wait=FLAT["wait"].astype(object))
    gaps.loc[[2, 30], "wait"] = mark
    found = adopted(gaps.to_csv(index=False), project)
    truth = PANEL.copy()
    truth.iloc[[2, 30], 0] = np.nan
    assert any("gaps: 2 empty cells" in line for line in found.told)
    assert estimate(found) == pytest.approx(least_squares(truth, "wait", "booking", ["staff"]), abs=1e-8)


def test_a_number_that_may_mean_missing_is_asked_about(project: Path) -> None:
    text = FLAT.assign(wait=FLAT["wait"].where(FLAT.index % 20 != 3, -999)).to_csv(index=False)
    error = refused(text, project, "-999.* stands in 4 cells")
    assert isinstance(error, UndecidedError)
    assert error.option == "missing"
    truth = PANEL.assign(wait=PANEL["wait"].where(np.arange(len(PANEL)) % 20 != 3))
    found = adopted(text, project, Options(missing=("-999", "-999.0")))
    assert estimate(found) == pytest.approx(least_squares(truth, "wait", "booking", ["staff"]), abs=1e-8)
    kept = adopted(text, project, Options(missing=()), name="kept")
    assert check_data(load_study(kept.folder)).panel["wait"].min() == -999


def test_a_comma_that_nothing_decides_is_asked_about(tmp_path: Path) -> None:
    rows = [f"{p}\t{y}\t{k + 1},{y - 1900}\t{k + 2},{y - 1800}" for k, p in enumerate(NAMES) for y in YEARS]
    path = write(tmp_path / "t.tsv", "\n".join(["place\tyear\ta\tb", *rows]))
    with pytest.raises(UndecidedError, match="decimal comma or one with a separator of thousands"):
        propose(path)
    assert propose(path, Options(decimal=",")).figures["a"].iloc[0] == pytest.approx(1.114)
    assert propose(path, Options(decimal=".")).figures["a"].iloc[0] == 1114


@pytest.mark.parametrize(
    ("cell", "told"),
    [("(12.5)", "write -12.5"), ("about 5", "--missing"), ("<5", "decide on a figure"), ("5%", "in one unit")],
)
def test_a_cell_that_is_no_number_is_named_with_a_way_out(cell: str, told: str, project: Path) -> None:
    text = CSV.replace(f",{PANEL['wait'].iloc[3]},", f",{cell},")
    assert told in refused(text, project, "column wait").remedy


QUARTERS = [f"{year}{form}{quarter}" for form in ("Q",) for year in (2019, 2020) for quarter in (1, 2, 3, 4)]
KINDS = {
    "quarters": (QUARTERS, "quarter", "2019Q1"),
    "quarters with a blank": ([text.replace("Q", " Q") for text in QUARTERS], "quarter", "2019Q1"),
    "Chinese quarters": ([f"{y}年第{q}季度" for y in (2019, 2020) for q in range(1, 5)], "quarter", "2019Q1"),
    "months": ([f"2019-{m:02d}" for m in range(1, 9)], "month", "2019-01"),
    "months by name": (
        [f"{m} 2019" for m in ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug")],
        "month",
        "2019-01",
    ),
    "half-years": ([f"{y}H{h}" for y in range(2016, 2020) for h in (1, 2)], "half_year", "2016H1"),
    "fiscal years": ([f"{y}/{(y + 1) % 100:02d}" for y in range(2012, 2020)], "fiscal_year", "2012/13"),
    "fiscal years with a dash": ([f"{y}-{(y + 1) % 100:02d}" for y in range(2005, 2013)], "fiscal_year", "2005/06"),
    "school years": ([f"{y % 100:02d}{(y + 1) % 100:02d}" for y in range(2012, 2020)], "fiscal_year", "2012/13"),
    "dates": ([f"{y}-12-31" for y in range(2012, 2020)], "year", "2012"),
    "dates, day first": ([f"31.12.{y}" for y in range(2012, 2020)], "year", "2012"),
    "ends of quarters": (
        [f"{y}-{d}" for y in (2019, 2020) for d in ("03-31", "06-30", "09-30", "12-31")],
        "quarter",
        "2019Q1",
    ),
    "days": ([f"2020-03-{d:02d}" for d in range(2, 10)], "day", "2020-03-02"),
    "two digits": ([f"{y % 100:02d}" for y in range(1996, 2004)], "year", "1996"),
    "floats": ([f"{y}.0" for y in range(2012, 2020)], "year", "2012"),
    "every second year": ([str(y) for y in range(2004, 2020, 2)], "year", "2004"),
    "numbered waves": ([str(n) for n in range(1, 9)], "period", "1"),
    "with the publisher's code": ([f"{y} [YR{y}]" for y in range(2012, 2020)], "year", "2012"),
    "in Chinese": ([f"{y}年" for y in range(2012, 2020)], "year", "2012"),
}


@pytest.mark.parametrize(("times", "kind", "first"), KINDS.values(), ids=KINDS.keys())
def test_periods_of_every_kind_are_read_and_printed_in_their_form(
    times: list[str], kind: str, first: str, project: Path
) -> None:
    panel = make_panel(times=range(8))
    text = panel.rename(index=dict(enumerate(times)), level=1).to_csv()
    found = adopted(text, project)
    study = load_study(found.folder)
    assert study.time.kind == kind
    assert study.time.show(study.time.first) == first
    assert any(f"8 from {first} to" in line for line in found.told)
    assert estimate(found) == pytest.approx(least_squares(panel, "wait", "booking", ["staff"]), abs=1e-8)


def test_a_lag_is_one_of_the_calendar(project: Path) -> None:
    panel = make_panel(times=range(8))
    text = panel.rename(index=dict(enumerate(QUARTERS)), level=1).to_csv()
    study = load_study(adopted(text, project).folder)
    assert study.time.window == tuple(range(study.time.first, study.time.first + 8))
    assert show_period(study.time.window[4], "quarter") == "2020Q1"


def test_a_year_and_its_quarter_in_two_columns_are_one_period(project: Path) -> None:
    panel = make_panel(times=range(8)).reset_index()
    panel["quarter"] = panel["year"] % 4 + 1
    panel["year"] = 2019 + panel["year"] // 4
    study = load_study(adopted(panel.to_csv(index=False), project).folder)
    assert (study.time.kind, study.time.show(study.time.first)) == ("quarter", "2019Q1")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["2010-11", "2011-12"], "fiscal_year"),
        (["2010-11", "2010-12"], "month"),
        (["1819", "1901"], "year"),
        (["1819", "1920"], "fiscal_year"),
        (["3.5", "4"], None),
        (["a", "b"], None),
    ],
)
def test_the_whole_column_says_what_a_period_is(cells: list[str], kind: str | None) -> None:
    assert find_kind(cells, "") == kind


def test_a_year_far_from_all_others_is_asked_about(project: Path) -> None:
    refused(CSV.replace("Ashford,2014", "Ashford,1014", 1).replace("1014", "1914", 1), project, "1914 stands far from")
    with pytest.raises(StudyError, match="is not a year"):
        read_times(["2014", "2015", "2016", "20l7"], "year", ["line 1"] * 4, "t.csv")


def test_spellings_that_differ_in_form_alone_are_one(project: Path) -> None:
    names = ("Hà Nội", "Đà Nẵng", "Cần Thơ", "Huế", "Sơn La", "Lào Cai")
    panel = make_panel(names)
    flat = panel.reset_index()
    late = flat["year"] > 2017
    for form in (
        lambda name: unicodedata.normalize("NFD", name), str.upper, lambda name: f"{name} ", lambda name: f" {name}\u200b",
    ):  # fmt: skip
        text = flat.assign(place=flat["place"].where(~late, flat["place"].map(form))).to_csv(index=False)
        found = adopted(text, project, name=f"m{len(list((project / 'data').iterdir()))}")
        assert any(line.startswith("entities: column 'place', 6 of them") for line in found.told)
        assert estimate(found) == pytest.approx(least_squares(panel, "wait", "booking", ["staff"]), abs=1e-8)


@pytest.mark.parametrize("name", ["Total", "全国", "World", "Euro area (19 countries)", "High income", "All countries"])
def test_a_total_is_no_unit(name: str, project: Path) -> None:
    total = PANEL.groupby(level=1).sum()
    rows = pd.concat([total.assign(place=name).reset_index(), FLAT])[FLAT.columns]
    found = adopted(rows.to_csv(index=False), project)
    assert any(f"totals or means and no units: {name}" in line for line in found.told)
    assert estimate(found) == pytest.approx(least_squares(PANEL, "wait", "booking", ["staff"]), abs=1e-8)
    origin = load_study(found.folder).adopted
    assert origin is not None
    assert origin.left_out == (name,)
    kept = adopted(rows.to_csv(index=False), project, Options(units="own"), name="kept")
    assert any("9 of them" in line for line in kept.told)


def test_a_sum_of_the_others_is_a_total_whatever_its_name(project: Path) -> None:
    total = PANEL.groupby(level=1).sum()
    rows = pd.concat([FLAT, total.assign(place="The county").reset_index()])[FLAT.columns]
    assert any("The county" in line and "totals" in line for line in adopted(rows.to_csv(index=False), project).told)


@pytest.mark.parametrize("name", ["Ashford", "Niger", "South Africa", "上海", "Totnes", "North Macedonia", "Allerdale"])
def test_a_name_like_any_other_is_no_total(name: str) -> None:
    assert not is_total(name)


def provinces() -> list[str]:
    return pd.read_csv(ROOT / "data" / "provinces" / "units.csv", dtype=str)["province_zh"].to_list()


def test_a_misspelt_name_is_told_and_takes_no_other_s_group_away(project: Path) -> None:
    panel = make_panel(provinces(), range(2015, 2020))
    text = panel.to_csv().replace("浙江", "淅江")
    found = adopted(text, project)
    assert any("kept without a group: '淅江' (perhaps 浙江)" in line for line in found.told)
    assert set(load_study(found.folder).grouping.order) == {"east", "central", "west"}
    assert estimate(found) == pytest.approx(least_squares(panel, "wait", "booking", ["staff"]), abs=1e-8)


def test_groups_come_from_lists_that_are_offered_only(project: Path) -> None:
    numbered = make_panel([str(n) for n in range(1, 17)])
    flat = numbered.reset_index()
    flat["area"] = np.where(flat["place"].astype(int) < 9, "coast", "inland")
    first = adopted(flat.to_csv(index=False), project, name="hospitals")
    assert set(load_study(first.folder).grouping.order) == {"coast", "inland"}
    second = adopted(numbered.rename_axis(["farm_id", "year"]).to_csv(), project, name="farms")
    assert not load_study(second.folder).regions
    assert not any("known from" in line for line in second.told)


def test_an_unsound_neighbour_stops_nothing(project: Path) -> None:
    broken = project / "data" / "broken"
    broken.mkdir()
    write(broken / "study.yml", "name: broken\ntitle: {en: x\n")
    assert adopted(CSV, project).folder.is_dir()


def test_two_groupings_with_a_common_word_have_their_own_keys(project: Path) -> None:
    panel = make_panel([f"u{n}" for n in range(12)]).reset_index()
    number = panel["place"].str[1:].astype(int)
    panel["size"] = np.where(number < 6, "high", "low")
    panel["income"] = np.where(number % 2 == 0, "high", "low")
    regions = load_study(adopted(panel.to_csv(index=False), project).folder).regions
    words = [word for grouping in regions.values() for word in grouping.order]
    assert len(regions) == 2
    assert len(words) == len(set(words)) == 4


@pytest.mark.parametrize("word", ["yes", "no", "on", "null", "true", "y", "1e5", "lag", "unit", "value", "code", "all"])
def test_no_heading_is_taken_for_syntax(word: str, project: Path) -> None:
    text = CSV.replace("booking", word, 1)
    found = adopted(text, project)
    assert estimate(found) == pytest.approx(least_squares(PANEL, "wait", "booking", ["staff"]), abs=1e-8)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.assign(booking=f["year"] * 1.0), "the same for all entities at each time"),
        (lambda f: f.assign(staff=f["year"] + f["place"].map(len)), "a sum of an entity part and a time part"),
        (lambda f: f.assign(staff=100 * f["booking"]), "collinear"),
        (lambda f: f[f["place"].isin(NAMES[:2])], "too few"),
    ],
    ids=["a price", "an age", "twice the same", "two units"],
)
def test_what_check_refuses_is_not_written(
    change: Callable[[pd.DataFrame], pd.DataFrame], told: str, project: Path
) -> None:
    text = change(FLAT).to_csv(index=False)
    refused(text, project, told)
    refused(text, project, told)


def test_the_person_says_which_measures_the_model_is_of(project: Path) -> None:
    text = FLAT.assign(age=FLAT["year"] - 1990).to_csv(index=False)
    found = adopted(text, project, Options(outcome="staff", treatment="wait", controls=("booking",), claim="lowers"))
    assert estimate(found) == pytest.approx(least_squares(PANEL, "staff", "wait", ["booking"]), abs=1e-8)
    claims = (found.folder / "claims.yml").read_text(encoding="utf-8")
    assert load_claims(found.folder).claims["OWN-1"].text == Label(en="wait lowers staff.", zh="wait降低staff。")
    assert "supported: primary.estimate < 0" in claims


def test_without_a_direction_the_claim_has_none(project: Path) -> None:
    claims = (adopted(CSV, project).folder / "claims.yml").read_text(encoding="utf-8")
    assert "{treatment} moves {outcome}." in claims
    assert "contradicted" not in claims


def test_what_the_person_said_stands_in_the_study_file(project: Path) -> None:
    said = Options(entity="place", time="year", missing=("-5",), decimal=".", units="own")
    study = load_study(adopted(CSV, project, said).folder)
    assert study.adopted is not None
    assert (study.adopted.missing, study.adopted.decimal, study.adopted.units) == (("-5",), ".", "own")


def test_a_message_lists_at_most_ten(project: Path) -> None:
    flat = FLAT.assign(wait=[f"word {n}" if n % 3 == 0 else x for n, x in enumerate(FLAT["wait"])])
    error = refused(flat.to_csv(index=False), project, "more cells")
    assert error.rule.count("word") <= 12


def test_sound_growth_is_no_change_of_unit(project: Path) -> None:
    """Counts that grow thirty-fold in a year among 8 units are told and stop nothing."""
    growing = PANEL.assign(booking=PANEL["booking"] * np.where(PANEL.index.get_level_values(1) > 2017, 30.0, 1.0))
    found = adopted(growing.to_csv(), project)
    assert any("another unit" in line for line in found.told)


def test_what_looks_like_another_unit_is_declared_genuine(project: Path) -> None:
    names = [f"u{n:02d}" for n in range(32)]
    panel = make_panel(names)
    growing = panel.assign(booking=panel["booking"] * np.where(panel.index.get_level_values(1) > 2017, 30.0, 1.0))
    error = refused(growing.to_csv(), project, "another unit")
    assert '--genuine "booking"' in error.remedy


def test_chance_among_unrelated_figures_moves_no_rows() -> None:
    """Nominal level 0.01 for all tests of a panel: of 20 panels of noise none is called misplaced."""
    rng = np.random.default_rng(8)
    index = pd.MultiIndex.from_product([[f"u{n:02d}" for n in range(35)], range(8)], names=["place", "year"])
    for _ in range(20):
        level = np.repeat(rng.normal(size=(35, 3)), 8, axis=0)
        panel = pd.DataFrame(np.exp(level + rng.normal(size=(280, 3))), index=index, columns=["a", "b", "c"])
        assert find_moved_times(panel, sorted(index.unique(0))) == []


@pytest.mark.parametrize(("heading", "first"), [("rownames", 1), ("", 1), ("Unnamed: 0", 0)])
def test_numbers_of_rows_are_no_measure(heading: str, first: int, project: Path) -> None:
    """R and pandas write them in front of the table; taken for a measure they would be the outcome that is proposed."""
    table = FLAT.copy()
    table.insert(0, heading, range(first, first + len(table)))
    found = adopted(table.to_csv(index=False), project)
    assert set(load_study(found.folder).columns) == {"wait", "booking", "staff"}
    assert estimate(found) == pytest.approx(least_squares(PANEL, "wait", "booking", ["staff"]), abs=1e-8)


def test_a_measure_that_jumps_is_taken_where_the_person_says_that_it_is_as_published(project: Path) -> None:
    """From 30 units on a leap is refused; the message names the option that there is before any study file."""
    rows = pd.concat(
        [FLAT.assign(place=FLAT["place"] + f" {letter}", wait=FLAT["wait"] + k) for k, letter in enumerate("abcd")]
    )
    rows["other"] = 3.0 + np.arange(len(rows)) % 7
    rows.iloc[3, rows.columns.get_loc("other")] = 1e5
    assert rows["place"].nunique() >= 30
    error = refused(rows.to_csv(index=False), project, "another unit")
    assert '--genuine "other"' in error.remedy
    found = adopted(rows.to_csv(index=False), project, Options(genuine=("other",)))
    assert load_study(found.folder).contract.genuine == ("other",)


@pytest.mark.parametrize("words", [("yes", "no"), ("TRUE", "FALSE"), ("是", "否")])
def test_answers_that_change_are_ones_and_noughts(words: tuple[str, str], project: Path) -> None:
    """A law that is passed in the course of the panel: what R calls a factor and a student recodes by hand."""
    law = (np.arange(len(PANEL)) * 7 % 11 < 4).astype(int)
    found = adopted(FLAT.assign(law=np.where(law, *words)).to_csv(index=False), project, Options(treatment="law"))
    assert any("read as 1 and 0 in law" in line for line in found.told)
    truth = PANEL.assign(law=law)
    assert estimate(found) == pytest.approx(least_squares(truth, "wait", "law", ["booking", "staff"]), abs=1e-8)


def test_an_answer_that_never_changes_in_a_unit_stays_a_group(project: Path) -> None:
    coast = FLAT["place"].map(lambda name: "yes" if name in set(NAMES[::2]) else "no")
    folder = adopted(FLAT.assign(coast=coast).to_csv(index=False), project).folder
    assert "coast" not in load_study(folder).columns
    assert set(pd.read_csv(folder / "units.csv")["coast"]) == {"yes", "no"}


def test_a_proposed_row_that_two_waves_cannot_carry_is_left_out_and_told(project: Path) -> None:
    """With two waves the treatment of the wave before is constant within every unit."""
    waves = FLAT[FLAT["year"].isin(YEARS[:2])]
    found = adopted(waves.to_csv(index=False), project)
    assert any("no robustness row treatment_lagged" in line for line in found.told)
    assert list(load_study(found.folder).robustness) == ["winsorised", "wild_cluster_bootstrap", "leave_one_out"]


def test_a_figure_that_follows_zero_is_no_division(project: Path) -> None:
    """A growth rate with zeros and negative figures that jumps: it was ZeroDivisionError."""
    growth = np.tile([0.0, 0.001, -0.001, 0.0], len(FLAT) // 4)
    growth[17] = 40.0
    assert adopted(FLAT.assign(growth=growth).to_csv(index=False), project).folder.is_dir()


@pytest.mark.parametrize(("heading", "why"), [("pilot", "never changes within a unit"), ("after", "marks of periods")])
def test_a_named_measure_that_is_none_is_told_why(heading: str, why: str, project: Path) -> None:
    pilot = FLAT["place"].isin(NAMES[:3]).astype(int)
    table = FLAT.assign(pilot=pilot, after=(FLAT["year"] > YEARS[3]).astype(int))
    refused(table.to_csv(index=False), project, why, Options(treatment=heading))


def test_numbers_of_units_are_no_measure(project: Path) -> None:
    numbers = FLAT["place"].map({name: 3 * n + 2 for n, name in enumerate(NAMES)})
    folder = adopted(FLAT.assign(number=numbers).to_csv(index=False), project).folder
    assert set(load_study(folder).columns) == {"wait", "booking", "staff"}
    assert load_study(folder).entity.aliases == ("number",)


def test_a_name_without_its_accents_is_known(project: Path) -> None:
    """Gapminder writes Cote d'Ivoire and Sao Tome and Principe."""
    names = ["Cote d'Ivoire", "Sao Tome and Principe", "Brazil", "Chile", "Ghana", "India", "Kenya", "Peru"]
    table = make_panel(names).reset_index().rename(columns={"place": "country"})
    units = pd.read_csv(adopted(table.to_csv(index=False), project).folder / "units.csv")
    assert {"CIV", "STP"} <= set(units.iloc[:, 0])


def test_a_name_of_another_length_is_no_slip_of_a_short_one() -> None:
    assert near_misses(["UK"], ["UKR", "USA"]) == {}
    assert near_misses(["陜西"], ["陕西", "山西"]) == {"陜西": "陕西"}


def test_a_heading_with_commas_is_named_in_a_list_as_it_stands(project: Path) -> None:
    """As the World Bank heads its columns; a list is cut at its commas, and its parts are put together again."""
    table = FLAT.rename(columns={"staff": "Staff, all (persons, end of year)"}).assign(extra=FLAT["staff"] ** 2)
    options = Options(controls=("extra", "Staff", "all (persons", "end of year)"))
    found = adopted(table.to_csv(index=False), project, options)
    assert load_study(found.folder).specification.controls == ("extra", "staff_all")


def test_groups_of_countries_by_code_are_no_units(project: Path) -> None:
    """The World Bank's packages give AFE and EUU beside AFG and EST; a firm of such a name among firms stays."""
    codes = ["BRA", "CHL", "GHA", "IND", "KEN", "PER", "PRE", "LTE"]
    found = adopted(make_panel(codes).reset_index().rename(columns={"place": "country"}).to_csv(index=False), project)
    assert "LTE, PRE" in next(line for line in found.told if "totals" in line)
    firms = make_panel(["Acme", "Bolt", "Corn", "Dyne", "Echo", "Flux", "PRE", "LTE"]).reset_index().to_csv(index=False)
    assert not any("totals" in line for line in adopted(firms, project, name="firms").told)


def test_a_measure_of_a_file_of_its_own_is_called_as_its_rows_say(project: Path) -> None:
    """API_IT.NET.USER.ZS_DS2_en_csv_v2_31743.csv holds the name of its measure in a column, the same in every row."""
    folder = project.parent / "bank"
    folder.mkdir()
    for measure, code in (("wait", "SH.WT"), ("booking", "IT.BK")):
        wide = PANEL[measure].unstack().reset_index()
        wide.insert(1, "Indicator Name", f"The {measure}, all")
        wide.insert(2, "Indicator Code", code)
        wide.to_csv(folder / f"API_{code}_v2.csv", index=False)
    found = adopt(folder, project, "bank", None, check_study)
    labels = {column.label.en for column in load_study(found.folder).columns.values()}
    assert labels == {"The wait, all", "The booking, all"}


def test_the_report_of_a_chinese_table_opens_in_chinese(project: Path) -> None:
    chinese = FLAT.rename(columns={"wait": "等待（天）", "booking": "预  约", "staff": "人员", "place": "地  区"})
    study = load_study(adopted(chinese.to_csv(index=False), project).folder)
    assert (study.language, study.entity.label.zh) == ("zh", "地区")
    assert "预约" in {column.label.zh for column in study.columns.values()}
    assert load_study(adopted(CSV, project, name="english").folder).language == "en"


@pytest.mark.parametrize(
    ("write_cell", "told"),
    [
        (lambda v: f"{v}万", "carries a multiple"),
        (lambda v: f"{v}{'万' if v > 57 else '亿'}", "carries a multiple"),
        (lambda v: f"{v}k", "carries a multiple"),
        (lambda v: f"({v})" if v > 57 else f"{v}", "in brackets"),
        (lambda v: f"{v}-", "minus behind it"),
        (lambda v: f"{v:_}a", "a figure with a letter"),
        (lambda v: f"1_{v}", "where a number is needed"),
    ],
)
def test_figures_that_are_not_read_are_told_and_not_passed_over(
    write_cell: Callable[[float], str], told: str, project: Path
) -> None:
    """Passed over, the next measure became the outcome without a word."""
    refused(FLAT.assign(wait=FLAT["wait"].map(write_cell)).to_csv(index=False), project, told)


@pytest.mark.parametrize("form", ["'{}", '="{}"', "{}", "+{}"])
def test_figures_that_were_kept_as_text_are_figures(form: str, project: Path) -> None:
    text = "\n".join(
        ["place,year,wait,booking,staff"]
        + [f"{r.place},{r.year},{form.format(r.wait)},{r.booking},{r.staff}" for r in FLAT.itertuples()]
    )
    assert estimate(adopted(text, project)) == pytest.approx(
        least_squares(PANEL, "wait", "booking", ["staff"]), abs=1e-8
    )


def test_a_dash_before_a_figure_is_a_minus(project: Path) -> None:
    less = FLAT.assign(wait=FLAT["wait"] - 57)
    text = less.assign(wait=less["wait"].map(lambda v: f"{v:.3f}".replace("-", "–"))).to_csv(index=False)
    assert estimate(adopted(text, project)) == pytest.approx(
        least_squares(PANEL, "wait", "booking", ["staff"]), abs=1e-8
    )


def test_categories_with_numbers_are_no_figures(project: Path) -> None:
    level = [f"level {n % 3}" for n in range(len(FLAT))]
    found = adopted(FLAT.assign(level=level).to_csv(index=False), project)
    assert set(load_study(found.folder).columns) == {"wait", "booking", "staff"}


@pytest.mark.parametrize(
    ("table", "options", "told"),
    [
        (FLAT.assign(booking=5), Options(treatment="booking"), "never changes within a unit"),
        (FLAT, Options(outcome="wait", treatment="wait"), "as outcome and as treatment"),
        (FLAT.assign(booking=FLAT["wait"]), None, "the same figures"),
        (FLAT[FLAT["place"] == NAMES[0]], None, "it holds one unit"),
    ],
)
def test_a_model_that_can_explain_nothing_is_refused(
    table: Any, options: Options | None, told: str, project: Path
) -> None:
    refused(table.to_csv(index=False), project, told, options)


def test_more_measures_than_a_study_can_hold_are_refused(project: Path) -> None:
    rng = np.random.default_rng(0)
    wide = pd.concat([FLAT, pd.DataFrame(rng.normal(size=(len(FLAT), 500))).add_prefix("m")], axis=1)
    refused(wide.to_csv(index=False), project, "503 measures")


def test_a_text_of_two_encodings_is_refused_with_its_line(project: Path) -> None:
    text = CSV.replace(NAMES[0], "北京").encode() + "上海,2014,1,2,3\n".encode("gb18030")
    (project.parent / "two.csv").write_bytes(text)
    with pytest.raises(StudyError, match="another encoding") as caught:
        adopt(project.parent / "two.csv", project, "two", None, check_study)
    assert f"line {len(FLAT) + 2}" in caught.value.where


def test_kinds_of_apostrophes_are_one(project: Path) -> None:
    names = ["Côte d'Ivoire", *NAMES[1:]]
    table = make_panel(names).reset_index()
    table.loc[(table["place"] == names[0]) & (table["year"] == YEARS[2]), "place"] = "Côte d’Ivoire"
    units = pd.read_csv(adopted(table.to_csv(index=False), project, Options(units="own")).folder / "units.csv")
    assert len(units) == len(names)


def test_what_lies_beside_the_tables_of_a_folder_is_no_table(project: Path) -> None:
    folder = project.parent / "office"
    folder.mkdir()
    write(folder / "figures.csv", CSV)
    write(folder / "README.txt", "Data from the office.\nThank you.\n")
    (folder / "letter.docx").write_bytes(b"PK\x03\x04")
    assert adopt(folder, project, "office", None, check_study).folder.is_dir()


def test_the_mark_of_the_end_of_a_file_is_no_damage(project: Path) -> None:
    assert adopted(CSV + "\x1a", project).folder.is_dir()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [("t.json", '[{"place": "Elm", "year": 2014}]', "JSON"), ("https:/x.org/t", None, "an address")],
)
def test_what_is_no_table_file_is_named(name: str, text: str | None, told: str, project: Path) -> None:
    path = Path(name) if text is None else write(project.parent / name, text)
    with pytest.raises(StudyError, match=told):
        adopt(path, project, "mine", None, check_study)


def test_sound_panels_are_not_refused(project: Path) -> None:
    """Twenty draws of 10 to 24 units (with `benchmarks/sound_panels.py` 200 of up to 60): a refusal is a false alarm."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        names = [f"unit {number:02d}" for number in range(rng.integers(10, 25))]
        table = make_panel(names, seed=seed).reset_index()
        table["count"] = rng.poisson(np.exp(1 + table["booking"] / 8))
        assert adopted(
            table.sample(frac=1, random_state=seed).to_csv(index=False), project, name=f"s{seed}"
        ).folder.is_dir()


@pytest.mark.parametrize("heading", ["rownames", "Unnamed: 0", "index", "X"])
def test_numbers_of_the_rows_of_a_wide_table_name_no_unit(heading: str, project: Path) -> None:
    wide = FLAT.melt(["place", "year"], var_name="indicator").pivot(index=["place", "indicator"], columns="year")
    wide = wide.set_axis([f"{year}" for _, year in wide.columns], axis=1).reset_index()
    wide.insert(0, heading, range(1, len(wide) + 1))
    found = adopted(
        wide.to_csv(index=False), project, Options(outcome="wait", treatment="booking", controls=("staff",))
    )
    assert estimate(found) == pytest.approx(least_squares(PANEL, "wait", "booking", ["staff"]), rel=1e-8)


def test_years_of_long_ago_are_years_and_one_of_them_alone_is_a_slip(project: Path) -> None:
    slip = FLAT.assign(year=[214, *FLAT["year"][1:]])
    assert "'214' is not a year" in refused(slip.to_csv(index=False), project, "is not a year").rule
    old = dict(zip(YEARS, [1, 1000, 1400, *range(1990, 1990 + len(YEARS) - 3)], strict=True))
    found = adopted(FLAT.assign(year=FLAT["year"].map(old)).to_csv(index=False), project)
    assert "years before 1500 are read as they stand: 3 of them, the first is 1" in found.told
    assert estimate(found) == pytest.approx(least_squares(PANEL, "wait", "booking", ["staff"]), rel=1e-8)


@pytest.mark.parametrize(("ends", "kind", "first"), [("12-31", "year", "2014"), ("%02d-01", "month", "2014-01")])
def test_dates_that_a_spreadsheet_left_as_numbers_of_days_are_dates(ends: str, kind: str, first: str) -> None:
    parts = range(1, 13) if "%" in ends else [0]
    days = [pd.Timestamp(f"{year}-{ends % part if part else ends}") for year in YEARS for part in parts]
    cells = [str((day - pd.Timestamp("1899-12-30")).days) for day in days]
    times = read_times(cells, "Date", cells, "t.csv")
    assert (times.kind, show_period(min(times.codes), times.kind)) == (kind, first)
    assert find_kind(cells, "sales") is None  # figures of five digits under any other heading


@pytest.mark.parametrize(
    "names", [["UK", "South Korea", "Viet Nam", "Iran", "Russia"], ["英国", "韩国", "越南", "伊朗", "俄罗斯"]]
)
def test_countries_are_known_by_their_other_names(names: list[str], project: Path) -> None:
    rows = PANEL.loc[list(NAMES[: len(names)])].rename(dict(zip(NAMES, names, strict=False)), level=0)
    found = adopted(rows.to_csv(), project)
    units = pd.read_csv(found.folder / "units.csv", index_col=0, dtype=str)
    assert sorted(units.index) == ["GBR", "IRN", "KOR", "RUS", "VNM"]
    assert units["region"].notna().all()


def test_codes_of_two_letters_are_countries_where_nearly_all_are(project: Path) -> None:
    codes = {"eu": "AT BE BG HR CY CZ DK EE FI EL UK", "us": "AL AK AZ AR CA CO CT DE FL GA HI"}
    panels = {
        key: pd.concat(
            [PANEL.loc[NAMES[place % len(NAMES)]].assign(geo=code) for place, code in enumerate(text.split())]
        )
        for key, text in codes.items()
    }
    rng = np.random.default_rng(1)
    told = {}
    for key, panel in panels.items():
        panel = panel.reset_index().assign(wait=rng.normal(60, 3, len(panel)))
        told[key] = adopted(panel[["geo", "year", "wait", "booking"]].to_csv(index=False), project, name=key).told
    assert any("11 of 11 names known" in line for line in told["eu"])
    assert not any("names known" in line for line in told["us"])


def test_two_names_of_one_unit_are_one_where_their_figures_agree(project: Path) -> None:
    names = ["Turkey", "France", "Italy", "Spain", "Chile"]
    panel = PANEL.loc[list(NAMES[: len(names)])].rename(dict(zip(NAMES, names, strict=False)), level=0)
    frame: Any = panel.reset_index()
    later = (frame["place"] == "Turkey") & (frame["year"] > YEARS[3])
    both = pd.concat([frame, frame[later].assign(place="Türkiye", wait=1.0)])
    refused(both.to_csv(index=False), project, "have two figures for", Options())
    renamed = frame.assign(place=frame["place"].mask(later, "Türkiye"))
    found = adopted(renamed.to_csv(index=False), project)
    assert any(line.endswith("are one: Turkey = Türkiye") for line in found.told)
    assert estimate(found) == pytest.approx(least_squares(panel, "wait", "booking", ["staff"]), rel=1e-8)


def test_a_text_in_a_codec_that_is_named_is_read_in_it(project: Path) -> None:
    text = CSV.replace(NAMES[0], "臺北市")
    path = project.parent / "big5.csv"
    path.write_bytes(text.encode("big5"))
    found = adopt(path, project, "mine", Options(encoding="big5"), check_study)
    assert "臺北市" in (found.folder / "units.csv").read_text(encoding="utf-8")
    adopted_from = load_study(found.folder).adopted
    assert adopted_from is not None
    assert adopted_from.encoding == "big5"


def test_a_workbook_with_other_tables_asks_for_the_sheet(project: Path) -> None:
    path = project.parent / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        FLAT.to_excel(book, sheet_name="Data", index=False)
        pd.DataFrame({"source": ["yearbook", "survey"], "pages": [12, 340]}).to_excel(book, sheet_name="Sources")
    with pytest.raises(UndecidedError, match="say with --sheet") as caught:
        adopt(path, project, "mine", None, check_study)
    assert caught.value.option == "sheet"
    assert caught.value.choices == ("Data", "Sources")
    found = adopt(path, project, "mine", Options(sheet=("Data",)), check_study)
    assert estimate(found) == pytest.approx(least_squares(PANEL, "wait", "booking", ["staff"]), rel=1e-8)


def test_a_column_of_other_years_with_gaps_is_no_period(project: Path) -> None:
    born: Any = [str(1960 + place) if place % 3 else "" for place in range(len(FLAT))]
    found = adopted(FLAT.assign(yearborn=born).to_csv(index=False), project)
    assert estimate(found) == pytest.approx(least_squares(PANEL, "wait", "booking", ["staff"]), rel=1e-8)


def test_a_period_that_the_person_names_may_have_any_heading(project: Path) -> None:
    waves = FLAT.assign(year=FLAT["year"] - YEARS[0] + 1).rename(columns={"year": "sitting"})
    found = adopted(waves.to_csv(index=False), project, Options(time="sitting"))
    assert estimate(found) == pytest.approx(least_squares(PANEL, "wait", "booking", ["staff"]), rel=1e-8)


def test_a_sparse_measure_is_no_control_unless_asked_for(project: Path) -> None:
    sparse = FLAT.assign(survey=[value if place % 3 == 0 else "" for place, value in enumerate(FLAT["staff"] + 1)])
    text = sparse.to_csv(index=False)
    assert "model: wait by booking, controls staff" in adopted(text, project).told
    asked = adopted(text, project, Options(controls=("survey",)), "asked")
    assert "model: wait by booking, controls survey" in asked.told


def test_measures_that_stay_as_they_are_are_named(project: Path) -> None:
    text = FLAT.assign(booking=FLAT["place"].map(len), staff=FLAT["place"].map(len) + 1).to_csv(index=False)
    error = refused(text, project, "stay as they are")
    assert "booking, staff" in error.rule


def test_indicators_of_one_unit_by_period_are_told_for_what_they_are(project: Path) -> None:
    wide = PANEL.loc[NAMES[0]].T.rename_axis("Indicators").reset_index()
    refused(wide.to_csv(index=False), project, "of one unit")


def test_what_stands_in_brackets_is_a_unit_unless_a_function_stands_before_it_or_it_tells_measures_apart(
    project: Path,
) -> None:
    names = {"wait": "log(wait)", "booking": "Visits (online)", "staff": "Visits (all)"}
    text = FLAT.assign(beds=FLAT["staff"] ** 2).rename(columns={**names, "beds": "Beds (number)"}).to_csv(index=False)
    study = load_study(adopted(text, project).folder)
    told = {study.label(name): column.unit for name, column in study.columns.items()}
    assert told == {"log(wait)": "", "Visits (online)": "", "Visits (all)": "", "Beds": "number"}


def test_numbers_of_rows_name_no_units_and_a_table_of_one_measure_is_told_what_it_lacks(project: Path) -> None:
    wide = FLAT.pivot_table(index="year", columns="place", values="wait").reset_index()
    wide.insert(0, "rownames", range(1, len(wide) + 1))
    error = refused(wide.to_csv(index=False), project, "measures of one entity, or one measure of several")
    assert "of another measure beside this one into a folder" in error.remedy
    refused(wide.to_csv(index=False), project, "it has one measure", Options(entity="columns"))
    folder = project.parent / "two"
    folder.mkdir()
    for measure in ("wait", "booking"):
        table = FLAT.pivot_table(index="year", columns="place", values=measure).reset_index()
        table.insert(0, "rownames", range(1, len(table) + 1))
        table.to_csv(folder / f"{measure}.csv", index=False)
    found = adopt(folder, project, "two", Options(entity="columns"), check_study)
    assert f"{FLAT['place'].nunique()} of them" in found.told[0]
    assert set(load_study(found.folder).columns) == {"wait", "booking"}


def test_a_grouping_whose_groups_cannot_be_fitted_is_not_proposed(project: Path) -> None:
    """In one of two groups nobody is treated: no regression of its own, so that there is nothing to compare."""
    panel = make_panel([f"u{n}" for n in range(12)]).reset_index()
    number = panel["place"].str[1:].astype(int)
    panel["kind"] = np.where(number < 6, "treated", "never")
    panel["booking"] = panel["booking"].where(number < 6, 0.0)
    found = adopted(panel.to_csv(index=False), project)
    assert not load_study(found.folder).regions
    assert any("no grouping by kind" in line for line in found.told)

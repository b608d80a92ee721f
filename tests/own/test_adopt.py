"""Facts about a person's own table on its way to a study; every table is made here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pandas as pd
import pytest

from helpers.claims.file import load_claims
from helpers.errors import StudyError
from helpers.own.adopt import adopt, copy_study
from helpers.reading import statistics as reading
from helpers.reading import units
from helpers.reading.proposal import Options
from helpers.reading.propose import propose
from helpers.runner.check import check_study
from helpers.study import needs
from helpers.study.study import load_study

ROOT = Path(__file__).resolve().parents[2]
STUDIES = ("provinces", "countries")
HEADER = "unit,kind,year,Output (kg),Input (h),Staff\n"
ROWS = "".join(
    f"u{place},{'a' if place < 5 else 'b'},{year},{place + place * year % 7 + 0.5},{place * 2 + place * year % 5},{3 + place * year * year % 4}\n"
    for place in range(10)
    for year in range(2010, 2016)
)
TABLE = HEADER + ROWS


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that knows the provinces and no other study."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "data" / "provinces").mkdir(parents=True)
    for name in ("study.yml", "units.csv"):
        shutil.copy(ROOT / "data" / "provinces" / name, tmp_path / "data" / "provinces" / name)
    return tmp_path


def write(folder: Path, text: str, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_entities_times_measures_units_and_groups_are_recognised(tmp_path: Path) -> None:
    found = propose(write(tmp_path, TABLE))
    assert (found.entity, found.time, found.attributes) == ("unit", "year", ("kind",))
    assert [(item.label, item.unit) for item in found.measures] == [("Output", "kg"), ("Input", "h"), ("Staff", "")]
    assert found.figures.loc[("u3", 2012), "Output (kg)"] == pytest.approx(3 + 3 * 2012 % 7 + 0.5)


@pytest.mark.parametrize("kind", ["csv", "gb18030", "xlsx", "dta", "parquet"])
def test_the_format_makes_no_difference(kind: str, tmp_path: Path) -> None:
    path, frame = tmp_path / "own.bin", pd.read_csv(write(tmp_path, TABLE))
    writers: dict[str, Callable[[], object]] = {
        "csv": lambda: path.write_text(TABLE, encoding="utf-8"),
        "gb18030": lambda: path.write_bytes(TABLE.replace("unit", "企业").encode("gb18030")),
        "xlsx": lambda: frame.to_excel(path, index=False, engine="openpyxl"),
        "dta": lambda: frame.rename(columns=lambda name: name.split(" ")[0]).to_stata(path, write_index=False),
        "parquet": lambda: frame.to_parquet(path, index=False),
    }
    writers[kind]()
    assert propose(path).figures.to_numpy().tolist() == propose(tmp_path / "own.csv").figures.to_numpy().tolist()


def test_files_of_a_folder_with_years_across_become_one_panel(tmp_path: Path) -> None:
    write(tmp_path, "指标：产值(亿元)\n企业,2021年,2020年\n甲,3,2\n乙,5,4\n注：无\n", "a.csv")
    write(tmp_path, "企业,2021,2020\n甲,30,20\n乙,50,\n", "hours.csv")
    found = propose(tmp_path)
    assert list(found.figures) == ["产值(亿元)", "hours"]
    assert found.figures.xs(2021, level=1).to_numpy()[1].tolist() == [3, 30]
    assert found.figures["hours"].isna().sum() == 1


def test_the_new_study_is_valid_and_its_figures_are_those_of_the_table(project: Path) -> None:
    adopted = adopt(write(project, TABLE), project)
    study = load_study(adopted.folder)
    assert "60 rows of 10 entities" in check_study(study)
    entities = units.read_units(adopted.folder / "units.csv", study.entity)
    raw = reading.read_raw(study.folder, study.columns, entities, study.entity, study.time)
    assert raw["output"].to_list() == propose(project / "own.csv").figures["Output (kg)"].to_list()


def test_groups_of_five_or_more_become_regions(project: Path) -> None:
    study = load_study(adopt(write(project, TABLE), project).folder)
    assert study.grouping.order == ("a", "b")


def test_groups_of_a_yes_no_column_are_called_by_it_and_those_that_have_it_come_first(project: Path) -> None:
    """A region called "0" would stand in sentences as a number; the effect is that of having the property."""
    lines = [line.split(",") for line in TABLE.splitlines()]
    rows = [[unit, {"a": "0", "b": "1"}.get(kind, kind), *rest] for unit, kind, *rest in lines]
    study = load_study(adopt(write(project, "\n".join(",".join(row) for row in rows) + "\n"), project).folder)
    kind = rows[0][1]
    assert [study.label(name) for name in study.grouping.order] == [f"{kind} = 1", f"{kind} = 0"]


def test_provinces_are_known_by_name_or_code_and_take_their_regions(project: Path) -> None:
    known = pd.read_csv(ROOT / "data" / "provinces" / "units.csv", dtype=str)
    rows = [
        f"{code},{year},{place + year % 7},{place * 2 + place * year % 5}"
        for place, code in enumerate(known["gb_code"])
        for year in (2019, 2020, 2021)
    ]
    adopted = adopt(write(project, "\n".join(["地区代码,年份,地区生产总值(亿元),支出", *rows])), project)
    study = load_study(adopted.folder)
    assert study.entity.key == "province_en"
    assert set(study.grouping.order) == {"east", "central", "west"}
    assert "gdp" in study.columns
    assert any("known from the study provinces" in line for line in adopted.told)


def test_known_units_keep_the_groups_of_their_own_table_before_those_of_the_list(project: Path) -> None:
    known = pd.read_csv(ROOT / "data" / "provinces" / "units.csv", dtype=str)
    rows = [
        f"{name},{int(place < 9)},{year},{place + year % 7},{place * 2 + place * year % 5}"
        for place, name in enumerate(known["province_en"])
        for year in (2019, 2020, 2021)
    ]
    study = load_study(adopt(write(project, "\n".join(["province,member,year,gdp,spending", *rows])), project).folder)
    assert list(study.regions) == ["member", "region"]
    assert [study.label(name) for name in study.regions["member"].order] == ["member = 1", "member = 0"]
    members = units.read_units(study.folder / study.entity.units, study.entity)["member"]
    assert set(members[members == "1"].index) == set(known["province_en"][:9])


@pytest.mark.parametrize(("controls", "columns"), [(("none",), 3), (None, 6)])
def test_a_column_with_controls_stands_in_the_ladder_where_there_are_controls(
    project: Path, controls: tuple[str, ...] | None, columns: int
) -> None:
    study = load_study(adopt(write(project, TABLE), project, options=Options(controls=controls)).folder)
    assert len(study.ladder) == columns
    assert study.ladder[study.primary].controls is (controls is None)
    assert any(step.controls for step in study.ladder.values()) is (controls is None)


def test_the_claim_calls_treatment_and_outcome_what_the_study_file_does(project: Path) -> None:
    folder = adopt(write(project, TABLE), project, options=Options(claim="raises")).folder
    study = load_study(folder)
    outcome = study.label(study.specification.outcome)
    text = (folder / "study.yml").read_text(encoding="utf-8")
    write(
        folder,
        text.replace(f"en: {outcome}", "en: Yield of wheat").replace(f'"{outcome}"', "Yield of wheat"),
        "study.yml",
    )
    said = load_claims(folder).claims["OWN-1"].text.en
    assert said == f"{study.label(study.specification.treatment)} raises Yield of wheat."


def test_what_a_study_lacks_leaves_notebooks_out(project: Path) -> None:
    study = load_study(adopt(write(project, TABLE), project).folder)
    out = needs.list_left_out(study, ROOT / "notebooks")
    assert {"the study file declares no index", "the study file declares no mediator"} <= set(out.values())
    assert needs.find_stand_ins(study, ROOT / "notebooks") == {"panel": "indicators"}


def test_the_studies_of_the_project_run_every_notebook_that_their_figures_allow() -> None:
    left_out = {name: needs.list_left_out(load_study(ROOT / "data" / name), ROOT / "notebooks") for name in STUDIES}
    assert left_out["provinces"] == {}
    assert set(left_out["countries"]) == {"11_policy_and_space"}  # no policy and no neighbours are declared


def test_what_every_study_is_told_holds_no_word_of_one_study() -> None:
    """Texts of the notebooks that a study of one's own may run: none names what the provincial study is about."""
    study = load_study(ROOT / "data" / "provinces")
    names = (study.specification.outcome, study.specification.treatment, *study.mediators, *study.indices)
    labels = [study.words(name) for name in names]
    words = {label.en.casefold() for label in labels} | {label.zh for label in labels}
    words |= {word for name in names[:2] for word in study.words(name).en.casefold().split()} | {"government", "政府"}
    about = ("coordination", "society", "policies")
    folder = ROOT / "notebooks"
    needed = needs.read_needs(folder)
    common = [path for path in sorted(folder.glob("*.py")) if not set(about) & set(_needs(needed, path.stem))]
    assert len(common) >= 8
    catalogue = (ROOT / "src/helpers/report/locale/zh/LC_MESSAGES/notebooks.po").read_text(encoding="utf-8")
    told = {path.stem: path.read_text(encoding="utf-8").casefold() for path in common}
    told |= {
        path.stem + ".zh": "\n".join(part for part in catalogue.split("\n\n") if f"#. {path.stem}\n" in part)
        for path in common
    }
    assert {(name, word) for name, text in told.items() for word in words if word in text} == set()


def _needs(needed: dict[str, needs.Needs], name: str) -> tuple[str, ...]:
    return needed[name].needs if name in needed else ()


def test_an_unknown_need_is_told(tmp_path: Path) -> None:
    (tmp_path / "needs.yml").write_text("05_x: {needs: [money]}\n", encoding="utf-8")
    with pytest.raises(StudyError, match="needs are: indices, mediators, regions"):
        needs.read_needs(tmp_path)


def test_nothing_in_a_heading_can_be_taken_for_the_study_file_s_syntax(project: Path) -> None:
    nasty = 'a}, label: {en: "x", zh: !!python/object:os.system'
    text = TABLE.replace("Output (kg)", f'"{nasty.replace(chr(34), chr(34) * 2)}"')
    study = load_study(adopt(write(project, text), project).folder)
    assert next(iter(study.columns.values())).label.en == nasty


def test_a_study_that_is_there_is_not_written_over(project: Path) -> None:
    adopt(write(project, TABLE), project, "mine")
    before = (project / "data" / "mine" / "study.yml").read_bytes()
    with pytest.raises(StudyError, match="there is a study of that name"):
        adopt(project / "own.csv", project, "mine")
    assert (project / "data" / "mine" / "study.yml").read_bytes() == before


@pytest.mark.parametrize("name", ["../mine", "Mine", "a b", "", "1a"])
def test_a_name_that_is_no_word_is_refused(name: str, project: Path) -> None:
    with pytest.raises(StudyError, match="a study is named by"):
        copy_study("provinces", name, project)


def test_a_copied_study_has_its_own_name(project: Path) -> None:
    assert load_study(copy_study("provinces", "mine", project)).name == "mine"


BAD = {
    "no years": (TABLE.replace(",20", ",x20"), "no column holds periods"),
    "no entities": ("year,a,b\n2010,1,2\n2011,2,3\n2012,3,5\n", "measures of one entity, or one measure of several"),
    "one measure": (
        "unit,year,a\n" + "".join(f"u{i},{y},{i + y}\n" for i in range(3) for y in (2010, 2011)),
        "one measure",
    ),
    "a row twice": (TABLE + "u1,a,2012,1,2,3\n", "stands twice"),
    "a year that cannot be": (TABLE + "u1,a,2099,1,2,3\n", "stands far from all others, 2010 to 2015"),
    "per cent": (TABLE + "u1,a,2016,5%,2,3\n", "carries its unit"),
    "a formula as a name": (TABLE.replace("u2,", "=HYPERLINK(1),"), "is not a name"),
    "markup as a name": (TABLE.replace("u2,", "<script>alert(1)</script>,"), "is not a name"),
    "words for a figure": (TABLE.replace("u4,a,2014,", "u4,a,2014,about ", 1), "where a number is needed"),
    "a heading twice": (TABLE.replace("Staff", "Input (h)"), "stands twice"),
    "nothing changes": (
        "unit,year,a,b\n" + "".join(f"u{i},{y},{i},{i}\n" for i in range(3) for y in (2010, 2011)),
        "change over time",
    ),
    "a short row": (TABLE.replace("u1,a,2012,", "u1,a,2012\nu1,a,2099,", 1), "cells, the header"),
    "nothing": ("", "holds no table"),
    "a heading alone": (HEADER, "there is no figure"),
}


@pytest.mark.parametrize(("text", "rule"), BAD.values(), ids=BAD.keys())
def test_a_table_that_cannot_be_adopted_is_told_and_leaves_nothing(text: str, rule: str, project: Path) -> None:
    path = write(project, text)
    before = sorted(project.rglob("*"))
    with pytest.raises(StudyError, match=rule) as caught:
        adopt(path, project)
    assert caught.value.remedy
    assert sorted(project.rglob("*")) == before


def test_a_workbook_with_one_table_twice_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet()):
        sheet.append(["unit", "year", "a"])
        for entity in ("u1", "u2"):
            for year in (2010, 2011):
                sheet.append([entity, year, 1])
    book.save(tmp_path / "own.xlsx")
    with pytest.raises(StudyError, match="stands twice"):
        propose(tmp_path / "own.xlsx")


def test_a_series_over_time_has_no_entities_also_where_a_count_repeats(project: Path) -> None:
    """Beside a period that stands once every column tells the rows apart, so that none is thereby a name of units."""
    rows = ["t,weekends,accidents,fatal"]
    rows += [f"{t},{12 + t % 3},{40000 + 13 * t * t % 977},{300 + 7 * t % 41}" for t in range(1, 61)]
    with pytest.raises(StudyError, match="every row is another t"):
        adopt(write(project, "\n".join(rows) + "\n"), project, "series", check=check_study)


def test_a_group_whose_members_have_no_whole_row_is_no_region(project: Path) -> None:
    """Of three kinds of units, those of one lack the model's figures: the study is of the other two."""
    lines = [line.split(",") for line in TABLE.splitlines()]
    rows = [
        [unit, {"u0": "c", "u1": "c", "u2": "c", "u3": "c", "u4": "c"}.get(unit, kind), *rest]
        for unit, kind, *rest in lines[1:]
    ]
    rows += [[f"v{unit[1:]}", "a", *rest] for unit, _, *rest in rows]
    gaps = [[*row[:3], "", *row[4:]] if row[1] == "c" else row for row in rows]
    text = "\n".join(",".join(row) for row in [lines[0], *gaps]) + "\n"
    study = load_study(adopt(write(project, text), project, "gaps", check=check_study).folder)
    assert study.regions["kind"].order == ("a", "b")

"""One statistic in every format and shape that people have it in; each file is written here and recognised by content.

Outside figures: macrodata of statsmodels, whose package holds one table as an .xls of a spreadsheet program, as a .dta
and as CSV (exact: single precision is read as the decimal number that it stands for).
"""

from __future__ import annotations

import contextlib
import io
import math
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.errors import StudyError
from helpers.formats.tables import read_tables
from helpers.reading import statistics as reading
from helpers.reading.raw_files import name_indicator, read_source
from helpers.reading.units import Spellings
from helpers.study.study import Entity, Label
from made_files import DATE, PER_CENT, change_part, make_bomb, make_xls, make_xlsx

ENTITY = Entity(name="province", key="name", aliases=("zh", "code"), label=Label(en="x", zh="x"))
UNITS = pd.DataFrame(
    {"zh": ["北京市", "内蒙古自治区", "新疆维吾尔自治区"], "code": ["110000", "150000", "650000"]},
    index=pd.Index(["Beijing", "Inner Mongolia", "Xinjiang"], name="name"),
)
SPELLINGS = Spellings.of(UNITS, ENTITY)
NAMES = ("province", "year")
ROWS: list[list[Any]] = [
    ["地区", "2021年", "2020年"],
    ["北京市", 2, 1],
    ["内蒙古自治区", 4, 3],
    ["新疆维吾尔自治区", None, 5.5],
]
LONG: list[list[Any]] = [
    ["省份", "年份", "指标", "数值"],
    *([row[0], year, "产值", row[at]] for row in ROWS[1:] for at, year in ((1, 2021), (2, 2020))),
]
WIDE: list[list[Any]] = [
    ["name", "zh", "year", "产值", "物价"],
    *([row[0], "", *row[1:2], row[3], 7] for row in LONG[1:]),
]


def read(tmp_path: Path, content: bytes | str, name: str = "gdp.csv", **options: str) -> pd.Series:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return reading.read_statistic(path, SPELLINGS, names=NAMES, **options)


def check(series: pd.Series) -> None:
    """The figures of :data:`ROWS`."""
    wide = series.unstack()
    assert wide.index.tolist() == UNITS.index.tolist()
    assert wide.columns.tolist() == [2020, 2021]
    np.testing.assert_array_equal(wide, [[1, 2], [3, 4], [5.5, math.nan]])


def as_csv(rows: list[list[Any]], mark: str = ",") -> str:
    return "".join(mark.join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)


def wide_frame() -> pd.DataFrame:
    frame = pd.DataFrame(WIDE[1:], columns=["name", "zh", "year", "gdp", "cpi"])
    return frame.assign(gdp=frame["gdp"].astype(float), zh="-")


# Texts


@pytest.mark.parametrize("mark", [",", "\t", ";", "\t,"])
def test_cells_are_parted_by_what_most_lines_have(tmp_path: Path, mark: str) -> None:
    check(read(tmp_path, as_csv(ROWS, mark)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str) -> None:
    check(read(tmp_path, as_csv(ROWS).replace("\n", end).encode(encoding)))


def test_a_file_that_a_spreadsheet_program_saved_anew(tmp_path: Path) -> None:
    lines = ["数据库：分省年度数据", "指标：产值(亿元)", "时间：最近2年", *as_csv(ROWS).splitlines(), "注：1. 按照我国"]
    padded = "".join(
        line + "," * (6 - line.count(",")) + "\r\n" for line in [*lines, "  2. 历史数据进行了系统", "数据"]
    )
    check(read(tmp_path, padded.encode("gb18030"), indicator="产值（亿元）"))


def test_a_footnote_cut_short_without_its_first_word(tmp_path: Path) -> None:
    check(read(tmp_path, as_csv(ROWS) + "历史数据进行了系统修订，,,\n"))


def test_a_misspelt_name_with_figures_is_no_footnote(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="line 5: '新彊' is not an entity"):
        read(tmp_path, as_csv(ROWS) + "新彊,1,2\n")


# Shapes


def test_new_portal_one_year(tmp_path: Path) -> None:
    text = "\ufeff数据库：分省年度数据 \n时间：2019年 \n地区\t,产值 (亿元) \t,人口 (万人) \t,\n北京市\t,37767.0\t,\t,\n"
    found = read(tmp_path, text + "注：修订\n数据来源：国家统计局\n", column="产值(亿元)")
    assert found.to_dict() == {("Beijing", 2019): 37767.0}


@pytest.mark.parametrize("line", ["", "时间：2011年-2019年 \n", "时间：最近20年 \n"])
def test_indicators_without_a_year_are_refused_with_what_to_add(tmp_path: Path, line: str) -> None:
    with pytest.raises(StudyError, match=r"no line above says which year(?s:.*)add .*时间：2021年"):
        read(tmp_path, f"{line}地区\t,产值\t,\n北京市\t,3\t,\n", column="产值")


ONE_PROVINCE = "数据库：分省年度数据 \n时间：2020年-2021年 \n指标\t,2021年\t,2020年\t,\n产值 (亿元) \t,2\t,1\t,\n"


def test_new_portal_one_province_is_refused_with_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"does not name it(?s:.*)add the line 地区：<name>"):
        read(tmp_path, ONE_PROVINCE, column="产值(亿元)")


@pytest.mark.parametrize("line", ["地区：北京市", "province: Beijing", "地区:,北京"])
def test_one_province_is_read_when_what_was_missing_is_added(tmp_path: Path, line: str) -> None:
    found = read(tmp_path, f"{line}\n{ONE_PROVINCE}", column="产值(亿元)")
    assert found.to_dict() == {("Beijing", 2020): 1, ("Beijing", 2021): 2}


def test_years_down_and_provinces_across(tmp_path: Path) -> None:
    check(read(tmp_path, "年份,北京,内蒙古,新疆\n2021年,2,4,\n2020年,1,3,5.5\n"))


def test_a_header_whose_first_cell_is_empty(tmp_path: Path) -> None:
    check(read(tmp_path, as_csv([["", *ROWS[0][1:]], *ROWS[1:]])))


def test_long_table(tmp_path: Path) -> None:
    check(read(tmp_path, as_csv(LONG), column="产值"))


def test_long_table_below_a_title(tmp_path: Path) -> None:
    check(read(tmp_path, "各省产值\n" + as_csv(LONG), column="产值"))


def test_wide_table(tmp_path: Path) -> None:
    check(read(tmp_path, as_csv(WIDE), column="产值"))


def test_years_across_with_names_of_measures_down(tmp_path: Path) -> None:
    rows = [["Country Name", "Code", "Indicator Name", "Indicator Code", "2020", "2021"]]
    rows += [[name, "x", "产值", "x", *cells] for name, *cells in (("Beijing", "1", "2"), ("Inner Mongolia", "3", "4"))]
    rows += [["Xinjiang", "x", "产值", "x", "5.5", ""], ["Xinjiang", "x", "物价", "x", "7", "7"]]
    check(read(tmp_path, as_csv(rows), column="产值"))


@pytest.mark.parametrize(
    "name",
    [
        "新疆",
        "新疆维吾尔自治区",
        "新疆自治区",
        "新 疆",
        "新疆\u200b",
        "650000",
        "650000000000",
        "６５００００",
        "Xinjiang",
        "XINJIANG ",
        "Xinjiang Uygur Autonomous Region",
        "Xinjiang Autonomous Region",
    ],
)
def test_names_map_to_one_key(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"地区,2021年\n{name},3\n").index[0] == ("Xinjiang", 2021)


def test_what_the_file_says_before_its_name(tmp_path: Path) -> None:
    said = {}
    for name, line in (("gdp.csv", "指标：产值\n"), ("产值.csv", ""), ("分省年度数据 (1).csv", "")):
        (tmp_path / name).write_text(line + as_csv(ROWS), encoding="utf-8")
        said[name] = name_indicator(read_source(tmp_path / name, SPELLINGS, NAMES))
    assert said == {"gdp.csv": "产值", "产值.csv": "产值", "分省年度数据 (1).csv": None}


# Workbooks


@pytest.mark.parametrize("name", ["gdp.xlsx", "gdp.xls", "gdp.csv", "gdp"])
@pytest.mark.parametrize("rows", [ROWS, [["指标：产值"], [], *ROWS, ["注：修订"]]], ids=["bare", "with notes"])
def test_workbooks_are_known_by_content(tmp_path: Path, name: str, rows: list[list[Any]]) -> None:
    check(read(tmp_path, make_xlsx({"Sheet1": rows}), name))
    check(read(tmp_path, make_xls({"Sheet1": rows}), name))


def macrodata() -> tuple[Path, pd.DataFrame]:
    import statsmodels.datasets.macrodata as package

    folder = Path(package.__file__).parent
    return folder, pd.read_csv(folder / "macrodata.csv")


def test_an_old_workbook_of_a_spreadsheet_program() -> None:
    folder, expected = macrodata()
    path = next(path for path in folder.rglob("macrodata.xls") if path.is_file())
    header, *rows = next(table.rows for table in read_tables(path) if table.title == "Quarterly")
    table = pd.DataFrame([row.cells for row in rows], columns=list(header.cells))
    since = table["DATE"] >= "1959-01-01"
    for ours, theirs in (("GDPC96", "realgdp"), ("DPIC96", "realdpi"), ("FGCEC96", "realgovt")):
        np.testing.assert_array_equal(table[ours][since].astype(float), expected[theirs])


def test_a_stata_file_of_another_program() -> None:
    folder, expected = macrodata()
    header, *rows = read_tables(folder / "macrodata.dta")[0].rows
    table = pd.DataFrame([row.cells for row in rows], columns=list(header.cells)).astype(float)
    np.testing.assert_array_equal(table, expected[list(table)])


def test_sheets_are_measures(tmp_path: Path) -> None:
    book = make_xlsx({"说明": [["填表说明", "x"]], "产值": ROWS, "物价": [ROWS[0], ["北京市", 7, 7]]})
    check(read(tmp_path, book, column="产值"))


def test_a_sheet_is_named_by_its_indicator_line(tmp_path: Path) -> None:
    book = make_xlsx({"Sheet1": [["指标：产值(亿元)"], *ROWS], "Sheet2": [ROWS[0], ["北京市", 7, 7]]})
    check(read(tmp_path, book, indicator="产值（亿元）"))


def test_sheets_of_one_year_each_make_one_statistic(tmp_path: Path) -> None:
    sheets = {
        str(year): [[f"时间：{year}年"], ["地区", "产值"], *([row[0], row[at]] for row in ROWS[1:])]
        for year, at in ((2021, 1), (2020, 2))
    }
    check(read(tmp_path, make_xlsx(sheets), column="产值"))


def test_sheets_that_are_not_read_are_told_when_the_measure_is_not_found(tmp_path: Path) -> None:
    book = make_xlsx({"产值": ROWS, "物价": [["地区", "2021-12-31"], ["北京市", 7]], "人口": ROWS})
    with pytest.raises(
        StudyError, match=r"no column '物价' \(1 sheets were left aside; .*'物价', line 1: '2021-12-31' is"
    ):
        read(tmp_path, book, column="物价")


def test_hidden_sheets_are_not_read(tmp_path: Path) -> None:
    check(read(tmp_path, make_xlsx({"old": [ROWS[0], ["北京市", 7, 7]], "new": ROWS}, hidden=["old"])))


def test_a_result_saved_with_its_formula_is_read_and_not_worked_out(tmp_path: Path) -> None:
    book = make_xlsx({"Sheet1": [["地区", "2021年"], ["北京市", "=1+1"]]})
    saved = change_part(book, "xl/worksheets/sheet1.xml", b"<v></v>", b"<v>40</v>")
    assert read(tmp_path, saved).tolist() == [40]


@pytest.mark.parametrize(
    ("book", "place", "rule"),
    [
        (make_xlsx({"a": [["地区", "2021年"], ["北京市", "=1+1"]]}), "sheet 'a', row 2", "saved without its result"),
        (make_xlsx({"a": [["地区", "2021年"], ["北京市", 0.65]]}, formats={"B2": "0.0%"}), "line 2", "'65%' carries its unit"),
        (make_xls({"a": [["地区", "2021年"], ["北京市", 0.65]]}, {(1, 1): PER_CENT}), "line 2", "'65%' carries its unit"),
        (make_xlsx({"a": [["地区", date(2021, 12, 31)], ["北京市", 3]]}), "line 1", "'2021-12-31' is a date"),
        (make_xls({"a": [["地区", date(2021, 12, 31)], ["北京市", 3]]}, {(0, 1): DATE}), "line 1", "'2021-12-31' is a date"),
        (make_xlsx({"a": [["地区", "2021年"], ["北京市", True]]}), "line 2", "'TRUE' stands where a number"),
        (make_xls({"a": [["地区", "2021年"], ["北京市", True]]}), "line 2", "'TRUE' stands where a number"),
        (make_xlsx({"a": [["地区", "2021年", None], ["", "产值", "物价"], ["北京市", 1, 2]]}), "line 2", "second header line"),
        (make_xlsx({"a": []}), "gdp.xlsx", "no header"),
        (make_bomb(60), "gdp.xlsx", "unpacks to 60 MB"),
        (make_xlsx({"a": ROWS})[:3000], "gdp.xlsx", "damaged or protected"),
        (make_xls({"a": ROWS})[:1500], "gdp.xlsx", "damaged or protected"),
    ],
)  # fmt: skip
def test_workbooks_refused(tmp_path: Path, book: bytes, place: str, rule: str) -> None:
    with pytest.raises(StudyError, match=rule) as caught:
        read(tmp_path, book, "gdp.xlsx")
    assert place in caught.value.where


def test_entities_declared_in_the_xml_of_a_workbook_are_refused(tmp_path: Path) -> None:
    declared = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><worksheet'
    book = change_part(make_xlsx({"a": ROWS}), "xl/worksheets/sheet1.xml", b"<worksheet", declared)
    with pytest.raises(StudyError, match="declares entities"):
        read(tmp_path, book)


def test_a_row_number_without_end_is_refused(tmp_path: Path) -> None:
    book = change_part(make_xlsx({"a": ROWS}), "xl/worksheets/sheet1.xml", b'<row r="4"', b'<row r="99999999999"')
    with pytest.raises(StudyError, match="more than 1,048,576 rows"):
        read(tmp_path, book)


@pytest.mark.parametrize("maker", [make_xlsx, make_xls])
def test_a_damaged_workbook_is_read_rightly_or_refused(tmp_path: Path, maker) -> None:
    book = maker({"a": ROWS})
    rng = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(book)
        for place in rng.integers(8, len(book), size=8):
            damaged[place] = rng.integers(256)
        with contextlib.suppress(StudyError):
            read(tmp_path, bytes(damaged))


# Stata and Parquet


def as_stata(frame: pd.DataFrame, **options: Any) -> bytes:
    stream = io.BytesIO()
    frame.to_stata(stream, write_index=False, **options)
    return stream.getvalue()


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_stata(tmp_path: Path, version: int) -> None:
    frame = wide_frame().drop(columns="zh").assign(name=lambda table: table["name"].map(SPELLINGS.find))
    check(read(tmp_path, as_stata(frame, version=version), "gdp.dta", column="gdp"))


def test_stata_with_labels_for_entities(tmp_path: Path) -> None:
    frame = wide_frame().drop(columns="zh").assign(name=lambda table: pd.Categorical(table["name"]))
    check(read(tmp_path, as_stata(frame, version=118), column="gdp"))


def test_text_of_old_stata_is_decoded(tmp_path: Path) -> None:
    frame = wide_frame().drop(columns="zh")
    frame["name"] = [name.encode("gb18030").decode("latin-1") for name in frame["name"]]
    check(read(tmp_path, as_stata(frame, version=114), column="gdp"))


def test_years_of_stata_that_are_dates(tmp_path: Path) -> None:
    frame = wide_frame().drop(columns="zh").assign(name=lambda table: table["name"].map(SPELLINGS.find))
    frame["year"] = [datetime(year, 1, 1) for year in frame["year"]]  # noqa: DTZ001 - Stata's dates have no zone
    check(read(tmp_path, as_stata(frame, convert_dates={"year": "ty"}), column="gdp"))


def test_days_of_stata_are_no_years(tmp_path: Path) -> None:
    frame = wide_frame().drop(columns="zh").assign(name=lambda table: table["name"].map(SPELLINGS.find))
    frame["year"] = [datetime(year, 12, 31) for year in frame["year"]]  # noqa: DTZ001 - as above
    with pytest.raises(StudyError, match="'2021-12-31' is a date"):
        read(tmp_path, as_stata(frame, convert_dates={"year": "td"}), column="gdp")


def as_parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def test_parquet(tmp_path: Path) -> None:
    check(read(tmp_path, as_parquet(pa.Table.from_pandas(wide_frame())), "gdp.parquet", column="gdp"))


def test_parquet_of_an_indexed_panel(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(wide_frame().drop(columns="zh").set_index(["name", "year"]))
    check(read(tmp_path, as_parquet(table), column="gdp"))


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        (pa.table({"name": ["Beijing"], "year": [2021], "gdp": [[1, 2]]}), "column gdp: it holds lists"),
        (pa.table([["Beijing"], [2021], [1], [2]], names=["name", "year", "gdp", "gdp"]), "'gdp' stands twice"),
        (pa.table({"name": ["Beijing"], "year": [date(2021, 12, 31)], "gdp": [1]}), "'2021-12-31' is a date"),
        (pa.table({}), "no header"),
    ],
)
def test_parquet_refused(tmp_path: Path, table: pa.Table, rule: str) -> None:
    with pytest.raises(StudyError, match=rule):
        read(tmp_path, as_parquet(table), column="gdp")


@pytest.mark.parametrize("content", [as_parquet(pa.table({"a": [1]}))[:40], as_stata(wide_frame()[["cpi"]])[:300]])
def test_files_of_columns_cut_short_are_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StudyError, match="damaged or protected"):
        read(tmp_path, content)


def test_a_table_with_too_many_cells_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.formats.columnar.MAX_CELLS", 20)
    with pytest.raises(StudyError, match="6 rows of 5 columns, more than 20 cells"):
        read(tmp_path, as_parquet(pa.Table.from_pandas(wide_frame())), column="gdp")

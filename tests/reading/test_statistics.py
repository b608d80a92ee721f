"""Raw files to a panel. Small files are written here, in the layouts that people have; figures are made up and exact.

Outside numbers: the provincial study's own raw files against Beijing's published product of 2019 (37,767 hundred million
yuan, National Bureau of Statistics, after the fifth economic census), exact; and against the identity that the sectors
add up to the product, within 0.01 % (figures are printed to one decimal).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.reading import statistics as reading
from helpers.reading.units import Spellings
from helpers.study.study import Column, Entity, Label, Time, load_study

LABEL = Label(en="x", zh="x")
ENTITY = Entity(name="province", key="name", aliases=("zh", "code"), label=LABEL)
TIME = Time(name="year", first=2020, last=2021, label=LABEL)
UNITS = "name,zh,code,region\nBeijing,北京市,110000,east\nInner Mongolia,内蒙古自治区,150000,west\nShaanxi,陕西省,610000,west\n"
CLASSIC = """数据库：分省年度数据
指标：地区生产总值(亿元)
时间：最近3年
地区,2021年,2020年,2019年
北京市,3,2,1
内蒙古自治区,6,5,4
陕西省,9,8,
注：按照修订制度,对历史数据进行了修订。
数据来源：国家统计局
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    (tmp_path / "units.csv").write_text(UNITS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def units(folder: Path) -> pd.DataFrame:
    return reading.read_units(folder / "units.csv", ENTITY)


@pytest.fixture
def spellings(units: pd.DataFrame) -> Spellings:
    return Spellings.of(units, ENTITY)


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "raw" / "gdp.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read(folder: Path, text: str, spellings: Spellings, **options: str | None) -> pd.Series:
    return reading.read_statistic(write(folder, text), spellings, names=("province", "year"), **options)


def read_panel(folder: Path, units: pd.DataFrame, **options: object) -> pd.DataFrame:
    column = Column(file="raw/gdp.csv", label=LABEL, **options)  # type: ignore[arg-type]
    return reading.read_raw(folder, {"gdp": column}, units, ENTITY, TIME)


def check_values(series: pd.Series) -> None:
    """The figures of :data:`CLASSIC`, whatever the layout."""
    wide = series.unstack()
    assert wide.index.tolist() == ["Beijing", "Inner Mongolia", "Shaanxi"]
    np.testing.assert_array_equal(wide, [[1, 2, 3], [4, 5, 6], [math.nan, 8, 9]])


# Layouts


def test_classic_export(folder: Path, spellings: Spellings) -> None:
    check_values(read(folder, CLASSIC, spellings))


def test_classic_export_in_gb18030_with_windows_line_ends(folder: Path, spellings: Spellings) -> None:
    path = write(folder, CLASSIC.replace("\n", "\r\n"), "gb18030")
    check_values(reading.read_statistic(path, spellings))


def test_an_encoding_may_be_named(folder: Path, spellings: Spellings) -> None:
    path = write(folder, CLASSIC, "utf-16")
    check_values(reading.read_statistic(path, spellings, encoding="utf-16"))


def test_utf_16_is_known_by_its_mark(folder: Path, spellings: Spellings) -> None:
    check_values(reading.read_statistic(write(folder, CLASSIC, "utf-16"), spellings))


def test_a_text_in_another_encoding_than_the_named_is_told(folder: Path, spellings: Spellings) -> None:
    with pytest.raises(StudyError, match="the text is not ascii"):
        reading.read_statistic(write(folder, CLASSIC), spellings, encoding="ascii")


def test_portal_export_with_tabs_and_a_phantom_column(folder: Path, spellings: Spellings) -> None:
    lines = [line.replace(",", "\t,") + "\t," if line[0] in "地北内陕" else line + " " for line in CLASSIC.splitlines()]
    text = "\ufeff" + "\n".join(line for line in lines if not line.startswith("指标"))
    check_values(read(folder, text, spellings))


def test_a_file_stripped_to_its_header_and_figures(folder: Path, spellings: Spellings) -> None:
    check_values(read(folder, "\n".join(CLASSIC.splitlines()[3:7]), spellings))


def test_a_leading_year_may_be_wholly_empty(folder: Path, spellings: Spellings) -> None:
    text = (
        CLASSIC.replace("地区,", "地区,2022年,").replace("市,", "市,,").replace("区,6", "区,,6").replace("省,", "省,,")
    )
    series = read(folder, text, spellings)
    assert series.xs(2022, level="year").isna().all()
    check_values(series.drop(2022, level="year"))


def test_wide_table(folder: Path, spellings: Spellings) -> None:
    text = "name,zh,year,gdp,cpi\nBeijing,北京,2021,3,7\nShaanxi,陕西,2021,9,\n"
    series = read(folder, text, spellings, column="gdp")
    assert series.to_dict() == {("Beijing", 2021): 3, ("Shaanxi", 2021): 9}


def test_long_table(folder: Path, spellings: Spellings) -> None:
    text = "zh,year,indicator,value\n北京,2021,gdp,3\n北京,2021,cpi,7\n陕西,2021,gdp,9\n"
    series = read(folder, text, spellings, column="gdp")
    assert series.to_dict() == {("Beijing", 2021): 3, ("Shaanxi", 2021): 9}


def test_a_measure_is_found_by_the_indicator_too(folder: Path, spellings: Spellings) -> None:
    text = "name,year,总产值(亿元),cpi\nBeijing,2021,3,7\n"
    assert read(folder, text, spellings, indicator="总产值（亿元）").tolist() == [3]


@pytest.mark.parametrize(
    "name", ["Beijing", "beijing ", "北京", "北京市", "110000", "110000000000", "１１００００", "Beijing Municipality"]
)
def test_names_map_to_one_key(folder: Path, spellings: Spellings, name: str) -> None:
    assert read(folder, f"地区,2021年\n{name},3\n", spellings).to_dict() == {("Beijing", 2021): 3}


@pytest.mark.parametrize(
    ("text", "value"), [("1.041304e+07", 10413040.0), ("-0.5", -0.5), ("12.", 12.0), (" 7\t", 7.0)]
)
def test_number(folder: Path, spellings: Spellings, text: str, value: float) -> None:
    assert read(folder, f"地区,2021年\n北京,{text}\n", spellings).tolist() == [value]


# What is refused in one file


@pytest.mark.parametrize(
    ("old", "new", "place", "rule"),
    [
        ("北京市,3", "北京市,abc", "line 5, province Beijing, year 2021", "'abc' stands where a number is needed"),
        ("北京市,3", "北京市,-", "line 5, province Beijing, year 2021", "number is needed"),
        ("北京市,3", "北京市,nan", "line 5, province Beijing, year 2021", "number is needed"),
        ("北京市,3", "北京市,inf", "line 5, province Beijing, year 2021", "is infinite"),
        ("北京市,3", "北京市,1e999", "line 5, province Beijing, year 2021", "is infinite"),
        ("北京市,3", "北京市,３", "line 5, province Beijing, year 2021", "full-width"),
        ("北京市,3", '北京市,"1,234.5"', "line 5, province Beijing, year 2021", "thousands separators"),
        ("北京市,3", '北京市,"１，２３４"', "line 5, province Beijing, year 2021", "thousands separators"),
        ("北京市,3", "北京市,3%", "line 5, province Beijing, year 2021", "carries its unit"),
        ("北京市,3", "北京市,1_000", "line 5, province Beijing, year 2021", "number is needed"),
        ("北京市,3", "北京市,0x10", "line 5, province Beijing, year 2021", "number is needed"),
        ("北京市,3", "北京市,=1+1", "line 5, province Beijing, year 2021", "number is needed"),
        ("北京市,3", "北京市,1,234", "line 5", "4 cells|5 cells"),
        ("北京市,3,2,1", "北京市,3,2", "line 5", "3 cells, the header 4"),
        ("陕西省,9,8,", "北京,9,8,", "line 7, province Beijing, year 2021", "already stands in line 5"),
        ("陕西省", "陕东省", "line 7", "'陕东省' is not an entity.*(?s:.)*did you mean '陕西省'"),
        ("陕西省", "", "line 7", "not an entity"),
        ("2020年", "2021年", "line 4", "the year 2021 stands twice"),
        ("地区,", "指标,", "gdp.csv", "one entity and does not name it"),
        ("地区,", "甲,", "gdp.csv", "no header"),
        ("2020年", "前年", "line 5", "'2' stands under no year"),
        ("2020年", "", "line 5", "'2' stands under no year"),
        ("注：", "全国,1,2,3\n注：", "line 8", "'全国' is not an entity"),
        ("数据来源：", "全国,1,2,3\n数据来源：", "line 9", "'全国' is not an entity"),
        ("北京市,3", '北京市,"3', "line", "not valid CSV"),
    ],
)
def test_refused(folder: Path, spellings: Spellings, old: str, new: str, place: str, rule: str) -> None:
    assert old in CLASSIC
    with pytest.raises(StudyError, match=rf"(?s)gdp\.csv.*{rule}") as caught:
        read(folder, CLASSIC.replace(old, new), spellings)
    assert place in caught.value.where


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        ("地区,2021年\n".encode(), "no figure"),
        (b"PK\x03\x04....", "damaged or protected"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\xd0\xcf\x11\xe0", "an old workbook cut short"),
        (b"name,year\0", "zero bytes"),
        (b"\xff\xff,2021", "neither UTF-8 nor GB18030"),
    ],
)
def test_files_that_hold_no_statistic(folder: Path, spellings: Spellings, content: bytes, rule: str) -> None:
    path = folder / "raw" / "gdp.csv"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=rule):
        reading.read_statistic(path, spellings)


def test_a_wide_table_names_its_columns_when_one_is_not_there(folder: Path, spellings: Spellings) -> None:
    with pytest.raises(StudyError, match=r"no column 'gpd'(?s:.)*gdp, cpi"):
        read(folder, "name,year,gdp,cpi\nBeijing,2021,3,7\n", spellings, column="gpd")


def test_a_wide_table_with_one_heading_twice(folder: Path, spellings: Spellings) -> None:
    with pytest.raises(StudyError, match="column 'gdp' stands twice"):
        read(folder, "name,year,gdp,gdp\nBeijing,2021,3,7\n", spellings, column="gdp")


@pytest.mark.parametrize("year", ["2021-12-31", "21", "", "２０２１"])
def test_a_wide_table_with_a_time_that_is_no_year(folder: Path, spellings: Spellings, year: str) -> None:
    with pytest.raises(StudyError, match="not a year"):
        read(folder, f"name,year,gdp\nBeijing,{year},3\n", spellings, column="gdp")


# The panel


def test_the_panel_has_the_declared_times_sorted_by_key(folder: Path, units: pd.DataFrame) -> None:
    write(folder, CLASSIC)
    panel = read_panel(folder, units, indicator="地区生产总值(亿元)")
    assert panel.index.names == ["province", "year"]
    assert panel["gdp"].tolist() == [2, 3, 5, 6, 8, 9]


def test_the_indicator_is_compared_without_regard_to_width_and_blanks(folder: Path, units: pd.DataFrame) -> None:
    write(folder, CLASSIC.replace("(亿元)", "（亿元） "))
    assert len(read_panel(folder, units, indicator="地区生产总值(亿元)")) == 6


@pytest.mark.parametrize("declared", ["地区生产总值(万元)", "第一产业增加值(亿元)"])
def test_another_indicator_or_unit_is_refused(folder: Path, units: pd.DataFrame, declared: str) -> None:
    write(folder, CLASSIC)
    with pytest.raises(StudyError, match=r"gdp\.csv, indicator line: the file holds '地区生产总值\(亿元\)'"):
        read_panel(folder, units, indicator=declared)


def test_a_column_that_the_file_does_not_hold_is_refused(folder: Path, spellings: Spellings) -> None:
    with pytest.raises(StudyError, match="the study declares '第一产业增加值"):
        read(folder, CLASSIC, spellings, column="第一产业增加值(亿元)")


def test_a_missing_file_is_told(folder: Path, units: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match=r"gdp\.csv: the file is missing"):
        read_panel(folder, units)


def test_a_missing_year_is_told(folder: Path, units: pd.DataFrame) -> None:
    write(folder, CLASSIC.replace("2020年", "2018年"))
    with pytest.raises(StudyError, match="no year 2020"):
        read_panel(folder, units)


def test_a_year_outside_the_span_of_the_statistic_may_be_missing(folder: Path, units: pd.DataFrame) -> None:
    write(folder, CLASSIC.replace("2020年", "2018年"))
    assert read_panel(folder, units, first=2021)["gdp"].isna().tolist() == [True, False] * 3


def test_a_missing_province_is_told(folder: Path, units: pd.DataFrame) -> None:
    write(folder, CLASSIC.replace("陕西省,9,8,\n", ""))
    with pytest.raises(StudyError, match="no row for Shaanxi"):
        read_panel(folder, units)


@pytest.mark.parametrize("file", ["../gdp.csv", "/etc/hostname"])
def test_a_file_outside_the_study_is_refused(folder: Path, units: pd.DataFrame, file: str) -> None:
    column = Column(file=file, label=LABEL)
    with pytest.raises(StudyError, match="outside the study folder"):
        reading.read_raw(folder, {"gdp": column}, units, ENTITY, TIME)


def test_a_wide_table_gives_several_statistics_by_their_names(folder: Path, units: pd.DataFrame) -> None:
    rows = [f"{name},{year},{year - 2000},1" for name in units.index for year in (2020, 2021)]
    write(folder, "\n".join(["name,year,gdp,cpi", *rows]))
    columns = {name: Column(file="raw/gdp.csv", label=LABEL) for name in ("gdp", "cpi")}
    panel = reading.read_raw(folder, columns, units, ENTITY, TIME)
    assert panel.to_numpy().tolist() == [[20, 1], [21, 1]] * 3


def one_year(year: int, line: str = "时间：{} \n") -> str:
    return line.format(f"{year}年") + f"地区\t,gdp\t,\n北京\t,{year}\t,\n内蒙古\t,1\t,\n陕西\t,2\t,\n"


def test_files_of_one_year_each_make_one_statistic(folder: Path, units: pd.DataFrame) -> None:
    for year in (2020, 2021):
        (folder / "raw" / f"year{year}.csv").write_text(one_year(year), encoding="utf-8")
    panel = reading.read_raw(folder, {"gdp": Column(file="raw/year*.csv", label=LABEL)}, units, ENTITY, TIME)
    assert panel["gdp"].tolist() == [2020, 2021, 1, 1, 2, 2]


def test_two_files_of_one_year_are_told(folder: Path, units: pd.DataFrame) -> None:
    for name in ("a", "b"):
        (folder / "raw" / f"year{name}.csv").write_text(one_year(2020), encoding="utf-8")
    with pytest.raises(StudyError, match=r"yearb\.csv, province Beijing, year 2020: .* already stands in yeara\.csv"):
        reading.read_raw(folder, {"gdp": Column(file="raw/year*.csv", label=LABEL)}, units, ENTITY, TIME)


@pytest.mark.parametrize("name", ["分省年度数据.csv", "data (3).csv", "download.csv", "20241122.csv", "Sheet1.csv"])
def test_a_file_of_which_nothing_says_what_it_holds_is_refused(folder: Path, units: pd.DataFrame, name: str) -> None:
    path = write(folder, CLASSIC.replace("指标：地区生产总值(亿元)\n", ""))
    path.rename(path.with_name(name))
    column = Column(file=f"raw/{name}", label=LABEL)
    with pytest.raises(StudyError, match="does not say which indicator it holds, and neither does its name"):
        reading.read_raw(folder, {"gdp": column}, units, ENTITY, TIME)


def test_the_study_or_the_name_of_the_file_may_say_what_it_holds(folder: Path, units: pd.DataFrame) -> None:
    text = CLASSIC.replace("指标：地区生产总值(亿元)\n", "")
    for name in ("分省年度数据.csv", "地区生产总值.csv"):
        write(folder, text).rename(folder / "raw" / name)
    columns = {
        "by_study": Column(file="raw/分省年度数据.csv", indicator="地区生产总值(亿元)", label=LABEL),
        "by_name": Column(file="raw/地区生产总值.csv", label=LABEL),
    }
    panel = reading.read_raw(folder, columns, units, ENTITY, TIME)
    assert panel["by_study"].tolist() == panel["by_name"].tolist() == [2, 3, 5, 6, 8, 9]


# Units and codebook


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "column 'name' must stand"),
        ("zh,code\n北京,1\n", "column 'name' must stand"),
        ("name,code\nBeijing,1\n", "column 'zh' must stand"),
        (UNITS + "Beijing,甲,1,east\n", "line 5: the key 'Beijing' is empty or stands twice"),
        (UNITS + ",甲,1,east\n", "line 5: the key '' is empty"),
        (UNITS + "Peking,北京,1,east\n", "'北京' stands for Beijing as well as for Peking"),
        (UNITS + "Hebei,河北\n", "line 5: 2 cells under 4 headings"),
    ],
)
def test_units_file_refused(folder: Path, text: str, rule: str) -> None:
    (folder / "units.csv").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=rule):
        reading.read_units(folder / "units.csv", ENTITY)


def test_a_missing_units_file_is_told(folder: Path) -> None:
    with pytest.raises(StudyError, match=r"no\.csv: the file is missing"):
        reading.read_units(folder / "no.csv", ENTITY)


CODEBOOK = "statistic,name_en,unit,grade,note\ngdp,Product,yuan,A,\ncpi,Prices,%,C,spliced\n"


def test_the_codebook_follows_the_order_of_the_study(folder: Path) -> None:
    (folder / "codebook.csv").write_text(CODEBOOK, encoding="utf-8")
    assert reading.read_codebook(folder / "codebook.csv", ["cpi", "gdp"])["grade"].tolist() == ["C", "A"]


def test_a_statistic_without_a_row_in_the_codebook_is_told(folder: Path) -> None:
    (folder / "codebook.csv").write_text(CODEBOOK, encoding="utf-8")
    with pytest.raises(StudyError, match="statistic tax: it has 0 rows"):
        reading.read_codebook(folder / "codebook.csv", ["tax"])


def test_a_codebook_without_grades_is_told(folder: Path) -> None:
    (folder / "codebook.csv").write_text("statistic,unit\n", encoding="utf-8")
    with pytest.raises(StudyError, match="no column 'name_en'"):
        reading.read_codebook(folder / "codebook.csv", [])


# The project's own figures


@pytest.fixture(scope="module")
def provinces() -> pd.DataFrame:
    study = load_study(ROOT / "data" / "provinces")
    units = reading.read_units(study.folder / study.entity.units, study.entity)
    return reading.read_raw(study.folder, study.columns, units, study.entity, study.time)


def test_provincial_product_is_of_the_published_vintage(provinces: pd.DataFrame) -> None:
    assert provinces.at[("Beijing", 2019), "gdp"] == 37767.0


def test_provincial_sectors_add_up_to_the_product(provinces: pd.DataFrame) -> None:
    sectors = provinces[["primary_va", "secondary_va", "tertiary_va"]].sum(axis=1)
    np.testing.assert_allclose(sectors, provinces["gdp"], rtol=1e-4)


def test_grade_c_indicators_are_found_with_the_reason() -> None:
    study = load_study(ROOT / "data" / "provinces")
    codebook = reading.read_codebook(study.folder / "codebook.csv", study.columns)
    doubtful = reading.indicators_of_grade(codebook, study, "C")
    assert doubtful["note"].str.startswith("Grade C: ").all()
    assert set(doubtful["statistic"]) == set(codebook.index[codebook["grade"] == "C"])

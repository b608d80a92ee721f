"""Facts about the shapes of other people's tables: each shape of one small panel gives the figures of the plain one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl  # type: ignore[import-untyped]
import pandas as pd
import pytest

from helpers.errors import StudyError
from helpers.formats.tables import read_tables
from helpers.reading.proposal import Options, Proposal
from helpers.reading.propose import propose
from own_tables import NAMES, YEARS, make_panel, write, write_rows

PANEL = make_panel()
MEASURES = tuple(map(str, PANEL))
FLAT: Any = PANEL.reset_index()
LONG = FLAT.melt(["place", "year"], var_name="indicator")


def wide(measure: str) -> pd.DataFrame:
    return pd.DataFrame(PANEL[measure].unstack())


def blocks(pattern: str) -> pd.DataFrame:
    parts = [wide(name).rename(columns={year: pattern.format(name, year) for year in YEARS}) for name in MEASURES]
    return pd.concat(parts, axis=1).reset_index()


def write_book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def rows_of(frame: pd.DataFrame) -> list[list[Any]]:
    return [list(frame.columns), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()]


def plain(path: Path) -> Path:
    FLAT.to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def blocks_joined(path: Path) -> Path:
    blocks("{}{}").to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def blocks_underscore(path: Path) -> Path:
    blocks("{}_{}").to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def blocks_short(path: Path) -> Path:
    frame = blocks("{}_{}").rename(columns=lambda name: name.replace("_20", ""))
    frame.to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def blocks_year_first(path: Path) -> Path:
    parts = [wide(name).rename(columns={year: f"{year} {name}" for year in YEARS}) for name in MEASURES]
    pd.concat(parts, axis=1).reset_index().to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def long_by_indicator(path: Path) -> Path:
    LONG.to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def world_bank_api(path: Path) -> Path:
    head = ['"Data Source","World Development Indicators",', "", '"Last Updated Date","2024-01-01",', ""]
    names = ",".join(f'"{year}"' for year in YEARS)
    lines = [f'"Country Name","Country Code","Indicator Name","Indicator Code",{names},']
    for measure in MEASURES:
        for place, row in wide(measure).iterrows():
            cells = ",".join(f'"{value}"' for value in row)
            lines.append(f'"{place}","{str(place)[:3].upper()}","{measure}","X.{measure}",{cells},')
    return write(path / "API_x_v2.csv", "\n".join(head + lines) + "\n")


def databank(path: Path) -> Path:
    names = ",".join(f"{year} [YR{year}]" for year in YEARS)
    lines = [f"Country Name,Country Code,Series Name,Series Code,{names}"]
    for measure in MEASURES:
        for place, row in wide(measure).iterrows():
            lines.append(f"{place},{str(place)[:3].upper()},{measure},X.{measure},{','.join(map(str, row))}")
    lines += ["", "", "", "Data from database: World Development Indicators", "Last Updated: 01/01/2024"]
    return write(path / "bank.csv", "\n".join(lines) + "\n")


def eurostat(path: Path) -> Path:
    for measure in MEASURES:
        lines = [f"freq,unit,geo\\TIME_PERIOD\t{chr(9).join(map(str, YEARS))}"]
        for place, row in wide(measure).iterrows():
            cells = [
                f"{value} {flag}".strip()
                for value, flag in zip(row, ("", "p", "b", "", "e", "", "", "bd"), strict=True)
            ]
            lines.append(f"A,NR,{place}\t" + "\t".join(cells))
        write(path / f"{measure}.tsv", "\n".join(lines) + "\n")
    return path


def utf16_tabs(path: Path) -> Path:
    frame = LONG.pivot(index=["place", "indicator"], columns="year", values="value").reset_index()
    frame.columns = ["Country", "Subject Descriptor", *map(str, YEARS)]
    (path / "WEO.xls").write_bytes(frame.to_csv(sep="\t", index=False).encode("utf-16"))
    return path / "WEO.xls"


def sheet_per_indicator(path: Path) -> Path:
    return write_book(path / "book.xlsx", {name: rows_of(wide(name).reset_index()) for name in MEASURES})


def sheet_per_year(path: Path) -> Path:
    sheets = {f"{year}年": rows_of(FLAT[FLAT["year"] == year].drop(columns="year")) for year in YEARS}
    return write_book(path / "book.xlsx", sheets)


def sheet_per_place(path: Path) -> Path:
    sheets = {name: rows_of(FLAT[FLAT["place"] == name].drop(columns="place")) for name in NAMES}
    return write_book(path / "book.xlsx", sheets)


def file_per_year(path: Path) -> Path:
    for year in YEARS:
        FLAT[FLAT["year"] == year].drop(columns="year").to_csv(path / f"survey_{year}.csv", index=False)
    return path


def file_per_indicator(path: Path) -> Path:
    for name in MEASURES:
        wide(name).reset_index().to_csv(path / f"{name}.csv", index=False)
    return path


def pieces(path: Path) -> Path:
    FLAT[FLAT["year"] < 2018].to_csv(path / "early.csv", index=False)
    FLAT[FLAT["year"] >= 2018].to_csv(path / "late.csv", index=False)
    return path


def merged_header(path: Path) -> Path:
    top: list[Any] = ["place", *[cell for name in MEASURES for cell in (name, *[None] * (len(YEARS) - 1))]]
    lower: list[Any] = [None, *[year for _ in MEASURES for year in YEARS]]
    body = [[place, *[v for name in MEASURES for v in wide(name).loc[place]]] for place in NAMES]
    return write_book(path / "book.xlsx", {"Table 3": [["Table 3. Places"], [], top, lower, *body]})


def years_over_measures(path: Path) -> Path:
    top: list[Any] = ["place", *[cell for year in YEARS for cell in (year, None, None)]]
    lower: list[Any] = [None, *[name for _ in YEARS for name in MEASURES]]
    body = [[place, *[wide(n).at[place, y] for y in YEARS for n in MEASURES]] for place in NAMES]
    return write_book(path / "book.xlsx", {"Table": [top, lower, *body]})


def names_labels_units(path: Path) -> Path:
    rows = [["Stkcd", "Accper", *MEASURES], ["证券代码", "会计期间", "等待", "预约", "人员"]]
    rows.append(["没有单位", "没有单位", "天", "%", "人"])
    rows += [[row.place, f"{row.year}-12-31", row.wait, row.booking, row.staff] for row in FLAT.itertuples()]
    return write_rows(path / "t.csv", rows)


def names_once(path: Path) -> Path:
    first = FLAT["place"].where(~FLAT["place"].duplicated(), "")
    FLAT.assign(place=first).to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def names_above(path: Path) -> Path:
    rows: list[list[Any]] = [["year", *MEASURES]]
    for place in NAMES:
        rows += [
            [place, "", "", ""],
            *([r.year, r.wait, r.booking, r.staff] for r in FLAT[FLAT["place"] == place].itertuples()),
        ]
    return write_rows(path / "t.csv", rows)


def places_across(path: Path) -> Path:
    for name in MEASURES:
        PANEL[name].unstack(0).reset_index().to_csv(path / f"{name}.csv", index=False)
    return path


def file_per_indicator_and_year(path: Path) -> Path:
    """As statistical offices offer each table of each year for download, the year in the heading too."""
    for name in MEASURES:
        for year in YEARS:
            one = FLAT[FLAT["year"] == year][["place", name]].rename(columns={name: f"{name} {year} (units)"})
            one.to_csv(path / f"{name}_{year}.csv", index=False, sep=";")
    return path


def first_row_with_gaps(path: Path) -> Path:
    """Lags leave the first row of every unit with fewer figures than the next: still a row, no line of labels."""
    lagged = FLAT.assign(**{f"z{n}": FLAT["staff"].groupby(FLAT["place"]).shift(1) for n in range(5)})
    lagged.to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def remark_below(path: Path) -> Path:
    FLAT.to_csv(path / "t.csv", index=False)
    with (path / "t.csv").open("a", encoding="utf-8") as file:
        file.write(f"{'The sum of the places differs from that of the country. ' * 4},NA,NA,NA,NA\n")
    return path / "t.csv"


def ids_as_floats(path: Path) -> Path:
    """A column of codes beside gaps comes out of pandas as 410032.0, and a dummy of 0 and 1 names no entity."""
    codes = {name: f"{410000 + n}.0" for n, name in enumerate(NAMES)}
    frame = FLAT.assign(late=(FLAT["year"] > YEARS[3]).astype(int), fcode=FLAT["place"].map(codes))
    frame[["year", "late", "fcode", *MEASURES]].to_csv(path / "t.csv", index=False)
    return path / "t.csv"


def spss(path: Path) -> Path:
    import pyreadstat

    codes = {float(n): name for n, name in enumerate(NAMES)}
    frame = FLAT.assign(place=FLAT["place"].map({name: code for code, name in codes.items()}))
    pyreadstat.write_sav(frame, path / "t.sav", variable_value_labels={"place": codes})
    return path / "t.sav"


def r_frame(path: Path) -> Path:
    import rdata

    text = pd.array(FLAT["place"].to_numpy(dtype=object), dtype=pd.StringDtype("python"))
    rdata.write_rda(path / "t.rda", {"panel": FLAT.assign(place=text)})
    return path / "t.rda"


def stata_labels(path: Path) -> Path:
    FLAT.to_stata(path / "t.dta", write_index=False, variable_labels={"wait": "Waiting time (days)"})
    return path / "t.dta"


SHAPES: tuple[Callable[[Path], Path], ...] = (
    plain, blocks_joined, blocks_underscore, blocks_short, blocks_year_first, long_by_indicator, world_bank_api,
    databank, eurostat, utf16_tabs, sheet_per_indicator, sheet_per_year, sheet_per_place, file_per_year,
    file_per_indicator, pieces, merged_header, years_over_measures, names_labels_units, names_once, names_above, spss, r_frame,
    stata_labels, file_per_indicator_and_year, first_row_with_gaps, remark_below,
)  # fmt: skip


def figures_of(found: Proposal) -> np.ndarray:
    words = {"wait": ("wait", "等待"), "booking": ("booking", "预约"), "staff": ("staff", "人员")}
    order = [next(m.heading for m in found.measures if m.heading.split(" ")[0] in word) for word in words.values()]
    return found.figures.sort_index()[order].to_numpy()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_shape_gives_the_figures_of_the_plain_table(shape: Callable[[Path], Path], tmp_path: Path) -> None:
    found = propose(shape(tmp_path))
    np.testing.assert_allclose(figures_of(found), PANEL.sort_index().to_numpy())
    assert [str(name) for name in found.figures.index.unique(0)] == sorted(NAMES)
    assert sorted(found.figures.index.unique(1)) == list(YEARS)


def test_codes_that_were_floats_are_names_and_marks_of_periods_are_no_measures(tmp_path: Path) -> None:
    found = propose(ids_as_floats(tmp_path))
    assert list(found.figures.index.unique(0)) == [str(410000 + n) for n in range(len(NAMES))]
    assert found.ignored == ("late",)
    np.testing.assert_allclose(figures_of(found), PANEL.loc[list(NAMES)].to_numpy())


def test_places_across_are_read_where_the_person_says_so(tmp_path: Path) -> None:
    found = propose(places_across(tmp_path))
    assert any("--entity columns" in line for line in found.told)
    np.testing.assert_allclose(figures_of(propose(tmp_path, Options(entity="columns"))), PANEL.sort_index().to_numpy())


def test_places_across_are_read_where_a_list_knows_them(tmp_path: Path) -> None:
    found = propose(places_across(tmp_path), known=lambda name: name in NAMES)
    np.testing.assert_allclose(figures_of(found), PANEL.sort_index().to_numpy())


def test_units_and_labels_come_with_the_columns(tmp_path: Path) -> None:
    found = propose(names_labels_units(tmp_path))
    assert [(m.heading, m.label, m.unit) for m in found.measures] == [
        ("wait", "等待", "天"), ("booking", "预约", "%"), ("staff", "人员", "人"),
    ]  # fmt: skip
    labelled = propose(stata_labels(tmp_path)).measures[0]
    assert (labelled.label, labelled.unit) == ("Waiting time", "days")


def test_codes_keep_their_leading_zeros_in_every_format(tmp_path: Path) -> None:
    codes: Any = FLAT.assign(place=FLAT["place"].map({name: f"{51 + n:06d}" for n, name in enumerate(NAMES)}))
    codes.to_csv(tmp_path / "t.csv", index=False)
    codes.to_stata(tmp_path / "t.dta", write_index=False)
    book = openpyxl.Workbook()
    book.active.append(list(codes.columns))
    for row in codes.itertuples(index=False):
        book.active.append([int(row.place), *row[1:]])
        book.active.cell(book.active.max_row, 1).number_format = "000000"
    book.save(tmp_path / "t.xlsx")
    for name in ("t.csv", "t.dta", "t.xlsx"):
        found = propose(tmp_path / name, Options(entity="place"))
        assert found.figures.index[0][0] == "000051"


def test_one_sheet_of_several_is_read_where_the_person_says_so(tmp_path: Path) -> None:
    other = FLAT.assign(wait=FLAT["wait"] + 1)
    book = write_book(tmp_path / "b.xlsx", {"final": rows_of(FLAT), "old": rows_of(other)})
    with pytest.raises(StudyError, match="stands twice"):
        propose(book)
    found = propose(book, Options(sheet=("final",)))
    assert found.figures["wait"].iloc[0] == PANEL["wait"].sort_index().iloc[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("place,wait,booking\nA,1,2\nB,2,3\n", "one period alone is no panel"),
        ("year,wait,booking\n2014,1,2\n2015,2,3\n", "measures of one entity, or one measure of several"),
        ("place,year,wait\nA,2014,1\nA,2014,2\nB,2015,3\nB,2015,4\n", "stands twice"),
        ("just a sentence\n", "there is no figure"),
    ],
)
def test_what_is_no_panel_is_named_for_what_it_is(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=told) as caught:
        propose(write(tmp_path / "t.csv", text))
    assert "delete" not in caught.value.remedy


def test_an_entity_may_be_named_by_two_columns_together(tmp_path: Path) -> None:
    pairs = pd.concat([FLAT.assign(partner="X"), FLAT.assign(partner="Y", wait=FLAT["wait"] + 1)])
    pairs.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(StudyError, match="stands twice") as caught:
        propose(tmp_path / "t.csv")
    assert '--entity "place + partner"' in caught.value.remedy
    found = propose(tmp_path / "t.csv", Options(entity="place + partner"))
    assert found.figures.loc[("Ashford - Y", 2014), "wait"] == pytest.approx(PANEL["wait"].iloc[0] + 1)


def test_western_text_is_not_read_as_chinese(tmp_path: Path) -> None:
    text = FLAT.assign(place=FLAT["place"].replace({"Elm": "Évora", "Ford": "Málaga"})).to_csv(index=False)
    (tmp_path / "t.csv").write_bytes(text.encode("cp1252"))
    assert {"Évora", "Málaga"} <= set(propose(tmp_path / "t.csv").figures.index.unique(0))
    (tmp_path / "t.csv").write_bytes(text.replace("Évora", "北京A区").replace("á", "a").encode("gb18030"))
    assert "北京A区" in set(propose(tmp_path / "t.csv").figures.index.unique(0))


def test_only_the_sheets_that_are_chosen_are_read(tmp_path: Path) -> None:
    """A sheet that is not chosen may hold a formula without its result, which would stop the reading."""
    book = openpyxl.Workbook()
    book.active.title = "Figures"
    book.active.append(["name", "figure"])
    book.active.append(["a", 1])
    book.create_sheet("Notes").append(["=1+1"])
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert [table.title for table in read_tables(path, titles=("Figures",))] == ["Figures"]
    with pytest.raises(StudyError, match="saved without its result"):
        read_tables(path)

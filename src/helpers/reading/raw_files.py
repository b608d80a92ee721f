"""One raw file, in whatever format and shape: which figures it holds, and of what."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import StudyError
from helpers.files import find_inside
from helpers.formats.decoding import shorten
from helpers.formats.tables import read_tables
from helpers.reading.layouts import read_figures
from helpers.reading.sheets import Figure, Sheet, UnknownLayoutError, find_indicator
from helpers.reading.units import Spellings
from helpers.study.periods import Kind

_SAYS_NOTHING = re.compile(
    r"((分省|城市|全国|国际)?(年度|季度|月度|统计)?数据|data|download|export|table|sheet|book|工作簿|新建.*|未命名.*)?[\W\d_]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Source:
    """A raw file after recognition.

    Attributes
    ----------
    path
        The file.
    spellings
        How the entities are spelt.
    indicator
        What the file says that it holds, or None.
    figures
        Its figures by measure; under None where the file names no measure.
    unread
        What is wrong with the worksheets that are not tables of statistics.
    """

    path: Path
    spellings: Spellings
    indicator: str | None
    figures: dict[str | None, list[Figure]]
    unread: tuple[StudyError, ...] = ()


def read_source(
    path: Path,
    spellings: Spellings,
    names: tuple[str, str] = ("entity", "time"),
    encoding: str | None = None,
    kind: Kind = "year",
) -> Source:
    """Read all figures of one file, in whatever format and shape it is.

    Worksheets that hold no statistics are left aside where another one does. Where several do, a sheet without named
    measures is named by its indicator line, else by its title.

    Raises
    ------
    StudyError
        When the file cannot be read, or no table of it has a known layout.
    """
    tables = [table for table in read_tables(path, encoding) if table.rows]
    sheets = [Sheet(path, table.rows, spellings, names, table.title, kind) for table in tables]
    read, unread = [], []
    for sheet in sheets or [Sheet(path, (), spellings, names)]:
        try:
            read.append((sheet, read_figures(sheet)))
        except UnknownLayoutError as error:
            unread.append(error)
    if not read:
        raise unread[0]
    figures: dict[str | None, list[Figure]] = {}
    for sheet, found in read:
        name = (find_indicator(sheet) or sheet.title) if len(read) > 1 else None
        for figure in found:
            figures.setdefault(figure.measure or name, []).append(figure)
    return Source(path, spellings, find_indicator(read[0][0]) if len(read) == 1 else None, figures, tuple(unread))


def name_indicator(source: Source) -> str | None:
    """What a file without named measures holds: by its own line, else by its name; None where neither says it."""
    if source.indicator or None not in source.figures:
        return source.indicator
    return None if _SAYS_NOTHING.fullmatch(source.path.stem) else source.path.stem


def find_files(folder: Path, file: str) -> list[Path]:
    """The file, or the files that a name with ``*`` stands for, inside the study folder.

    Raises
    ------
    StudyError
        When a file is outside the folder, or no file has such a name.
    """
    try:
        whole = find_inside(folder, file.replace("*", "_"), str(folder / shorten(file)))
        found = [path.relative_to(folder).as_posix() for path in sorted(folder.glob(file))]
        inside = [find_inside(folder, name, str(folder)) for name in found] if "*" in file else [whole]
    except (OSError, ValueError, NotImplementedError, RuntimeError):
        place = folder / shorten(file.replace("\0", " "))
        raise StudyError(str(place), "no file can have such a name", "correct it in the study file") from None
    if not inside:
        raise StudyError(str(folder / file), "there is no file of such a name", "put the files there, or correct it")
    return inside


def choose_figures(source: Source, wanted: tuple[str | None, ...]) -> list[Figure]:
    """The figures of the first wanted measure that the file names; all figures where it names none.

    Raises
    ------
    StudyError
        When the file names several measures and none is wanted, or not the one that is.
    """
    if None in source.figures or not source.figures:
        return source.figures.get(None, [])
    named = {squeeze(measure): figures for measure, figures in source.figures.items() if measure}
    asked = [name for name in wanted if name]
    for name in asked:
        if squeeze(name) in named:
            return named[squeeze(name)]
    if len(named) == 1 and not asked:
        return next(iter(named.values()))
    shown = [shorten(measure) for measure in source.figures if measure]
    listed = ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "")
    rule = f"there is no column '{asked[0]}'" if asked else "the file holds several columns, and none is named"
    for error in source.unread[:1]:
        rule += f" ({len(source.unread)} sheets were left aside; {error.where}: {error.rule})"
    remedy = f"name one of these with column: or indicator: in the study file: {listed}"
    raise StudyError(str(source.path), rule, remedy)


def squeeze(text: str) -> str:
    """The name of a measure without differences of width, case and blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()

"""Dependencies as the code itself states them."""

from __future__ import annotations

import pytest

from helpers.errors import StudyError
from helpers.runner.modules import Package
from helpers.runner.sources import Source, find_upstream, read_source


def source(name, reads=(), writes=(), reads_all=False):
    return Source(name, (), {}, tuple(reads), tuple(writes), reads_all, ())


def test_tables_read_and_written_are_found(mini):
    found = read_source(mini.root / "notebooks" / "02_second.py")
    assert (found.reads, found.writes, found.reads_all) == (("panel",), ("upper",), False)


def test_a_look_at_all_results_is_found(mini):
    assert read_source(mini.root / "notebooks" / "03_third.py").reads_all


def test_a_name_made_from_a_template_is_a_pattern(mini):
    mini.edit("notebooks/02_second.py", '"upper"', 'f"upper_{study}"')
    assert read_source(mini.root / "notebooks" / "02_second.py").writes == ("upper_*",)


def test_code_that_is_not_python_is_told(mini):
    mini.edit("notebooks/02_second.py", "run.save()", "run.save(")
    with pytest.raises(StudyError, match="not Python"):
        read_source(mini.root / "notebooks" / "02_second.py")


def test_upstream_goes_through_others():
    sources = [source("01", writes=["a"]), source("02", reads=["a"], writes=["b"]), source("03", reads=["b"])]
    assert find_upstream(sources) == {"01": (), "02": ("01",), "03": ("01", "02")}


def test_notebooks_that_read_the_same_table_are_independent():
    sources = [source("01", writes=["a"]), source("02", reads=["a"]), source("03", reads=["a"])]
    assert find_upstream(sources)["03"] == ("01",)


def test_a_pattern_is_matched_by_a_name():
    sources = [source("01", writes=["weights_*"]), source("02", reads=["weights_x"])]
    assert find_upstream(sources)["02"] == ("01",)


def test_a_table_that_nobody_writes_is_told():
    with pytest.raises(StudyError, match="no earlier notebook writes the table 'b'"):
        find_upstream([source("01", reads=["b"]), source("02", writes=["b"])])


def test_a_table_has_one_writer():
    with pytest.raises(StudyError, match="which 01 writes too"):
        find_upstream([source("01", writes=["a"]), source("02", writes=["a"])])


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "helpers"
    (folder / "templates").mkdir(parents=True)
    files = {
        "__init__": "",
        "top": "from helpers import middle",
        "middle": "def late():\n    from helpers.bottom import thing",
        "bottom": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from helpers import apart",
        "apart": "PAGE = 'page.html'",
        "shown": "FOLDER = 'templates'",
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "templates" / "page.html").write_text("")
    return folder


def test_imports_are_followed_also_inside_functions_but_not_for_type_checkers(package):
    found = {path.name for path in Package(package).find_modules(["helpers.top", "pandas"])}
    assert found == {"__init__.py", "top.py", "middle.py", "bottom.py"}


@pytest.mark.parametrize("module", ["apart", "shown"])
def test_a_data_file_belongs_to_the_module_that_names_it(package, module):
    assert package / "templates" / "page.html" in Package(package).find_modules([f"helpers.{module}"])

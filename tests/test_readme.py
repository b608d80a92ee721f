"""What the README promises: every table and figure is listed with its notebook, every link leads somewhere."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown_by(notebook: Path) -> list[tuple[str, str]]:
    """Kind and name of everything that a notebook writes for its reader."""
    calls = [node for node in ast.walk(ast.parse(notebook.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [
        (call.func.attr, call.args[1].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("table", "figure")
        and ast.unparse(call.func.value) == "run"
        and isinstance(call.args[1], ast.Constant)
        and isinstance(call.args[1].value, str)
    ]


def test_every_table_and_figure_is_listed_once_with_its_notebook():
    shown = [(kind, name, path.stem) for path in (ROOT / "notebooks").glob("*.py") for kind, name in shown_by(path)]
    listed = re.findall(r"^\| (table|figure) `(\w+)` \| (\w+) \|", README, re.MULTILINE)
    assert sorted(listed) == sorted(shown)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_link_inside_the_project_leads_to_a_file(document):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []

"""What the README and the documents promise: every link leads somewhere, every file that is named is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
# Written by hand in its time, or by a command; what the tutorials make on the way.
HISTORY = {"CHANGELOG.md", "parity.md"}
MADE = ("data/clinics/", "data/cities/", "data/firms/", "reports/", "notebooks/20_")
NAMED = re.compile(r"`([^`\s]+)`")
FOLDERS = ("src", "tests", "notebooks", "docs", "benchmarks", "data")
ROOMS = tuple(path.name for path in (ROOT / "src" / "helpers").iterdir() if (path / "__init__.py").is_file())


@pytest.mark.parametrize("document", ["README.md", "README.zh.md", "CONTRIBUTING.md"])
def test_every_link_inside_the_project_leads_to_a_file(document):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def missing_paths(text: str) -> list[str]:
    """Paths in a text, from the project's root or from ``src/helpers``, at which nothing is; patterns are passed over."""
    names = [name.rstrip("/") for name in NAMED.findall(text) if not re.search(r"[<>*{}$]|NN_|::", name)]
    rooted = {name for name in names if name.split("/")[0] in FOLDERS and not name.startswith(MADE)}
    inside = {name for name in names if name.split("/")[0] in ROOMS and "/" in name} - rooted
    lost = [name for name in rooted if not (ROOT / name).exists()]
    helpers = ROOT / "src" / "helpers"
    lost += [name for name in inside if not any((helpers / f"{name}{end}").exists() for end in ("", ".py"))]
    return sorted(lost)


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path.name not in HISTORY], ids=lambda path: path.name
)
def test_every_file_that_a_document_names_is_there(document):
    assert missing_paths(document.read_text(encoding="utf-8")) == []


def test_a_file_that_is_gone_is_found():
    told = "`src/helpers/notebook.py`, `regression/panel`, `tests/test_gone.py`, `regression/gone`, `data/<study>/raw/`"
    assert missing_paths(told) == ["regression/gone", "tests/test_gone.py"]

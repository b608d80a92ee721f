"""The map of the helpers names every module once."""

import re
from pathlib import Path

HELPERS = Path(__file__).parents[1] / "src" / "helpers"


def test_every_module_stands_once_in_the_map_and_no_other():
    named = re.findall(r"^\| `([\w/]+)` \|", (HELPERS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    modules = [
        path.relative_to(HELPERS).with_suffix("").as_posix()
        for path in HELPERS.rglob("*.py")
        if path.stem != "__init__"
    ]
    assert sorted(named) == sorted(modules)

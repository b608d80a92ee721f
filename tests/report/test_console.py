"""The command line in Chinese: each message is found again with its values, and in English nothing is touched."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from helpers.cli import build_parser, main, take_language
from helpers.errors import StudyError
from helpers.report.console import Speaker, break_lines, fill, read_messages, speaker, split_template, translate_help
from helpers.report.messages import catalogue_path, places, update
from helpers.report.spoken import command_messages
from helpers.study.arguments import SPOKEN, spoken_language

ROOT = Path(__file__).resolve().parents[2]
PATH = catalogue_path("cli")
CATALOGUE = read_messages(PATH)
# Two English words side by side; what stands in quotes or is a command, an option or a key is no sentence.
ENGLISH = re.compile(r"(?<![\w./-])[a-z]{2,}(?:'s)? [a-z]{2,}(?![\w./=])")
DATA = re.compile(
    r"`[^`]*`|'[^']*'|\"[^\"]*\"|/\S+|--\S+(?: [\w./]+)?|^ +study .*$|study [a-z]+|\[[^\]]*\]", re.MULTILINE
)


def english(text: str) -> list[str]:
    """Pieces of English sentences in a text."""
    return ENGLISH.findall(DATA.sub(" ", text))


@pytest.fixture(scope="module")
def declared():
    return command_messages()


def test_every_message_of_the_command_line_is_translated_and_none_is_left_over(declared):
    with PATH.open("rb") as file:
        known = {str(item.id) for item in read_po(file) if item.id}
    assert sorted(declared.keys() - CATALOGUE.keys()) == []
    assert sorted(known - declared.keys()) == []


def test_a_translation_has_the_places_and_the_figures_of_its_message():
    def figures(text):
        return sorted(re.findall(r"\d+(?:[.,]\d+)*", re.sub(r"\{[^}]*\}|`[^`]*`", "", text)))

    assert [en for en, zh in CATALOGUE.items() if places(en) != places(zh)] == []
    assert [en for en, zh in CATALOGUE.items() if figures(en) != figures(zh)] == []


def test_every_message_is_found_again_with_its_values():
    wrong = []
    for english_text, chinese in CATALOGUE.items():
        values = {name: f"x{place}y" for place, name in enumerate(split_template(english_text).names)}
        said = speaker().say(fill(english_text, values))
        if said != fill(chinese, values):
            wrong.append((english_text, said))
    assert wrong == []


SPOKEN_HERE = Speaker(
    {
        "{where}: {rule}\n  What to do: {remedy}": "{where}：{rule}\n  怎么办：{remedy}",
        "there is no column '{name}'": "没有列'{name}'",
        "there is no column '{name}' in {place}": "{place}中没有列'{name}'",
        "the panel": "面板",
        "column {name}": "列 {name}",
        "{shown} and {count} more": "{shown} 等，另有 {count} 项",
        "name one of: {names}": "可用的有：{names}",
        "did you mean '{near}'?": "是否指'{near}'？",
        "{names} differ": "{names}不同",
    }
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("there is no column 'the panel' in the panel", "面板中没有列'the panel'"),
        ("there is no column 'there is no column 'x''", "没有列'there is no column 'x''"),
        ("name one of: a, b and 3 more", "可用的有：a, b 等，另有 3 项"),
        ("did you mean 'gdp'? name one of: gdp", "是否指'gdp'？可用的有：gdp"),
        ("study.yml: there is no column 'x'", "study.yml：没有列'x'"),
        ("a: b: column x; the panel", "a：b：列 x；面板"),
        ("the panel differ", "面板不同"),
        ("some words of nobody", "some words of nobody"),
        ("data/my panel.csv", "data/my panel.csv"),
        ("  the panel\n", "  面板\n"),
        ("\r\x1b[Kthe panel", "\r\x1b[K面板"),
        ("one\nthe panel", "one\n面板"),
        ("", ""),
    ],
)
def test_a_text_is_said_by_the_message_with_most_words_and_what_is_a_name_stays(text, said):
    assert SPOKEN_HERE.say(text) == said


def test_an_error_is_said_in_its_three_parts():
    error = StudyError("data: raw/a.csv, column gdp", "there is no column 'x'", "name one of: a, b")
    assert SPOKEN_HERE.say(str(error)) == "data：raw/a.csv，列 gdp：没有列'x'\n  怎么办：可用的有：a, b"


def test_an_error_within_a_notebook_keeps_its_lines():
    text = (
        "notebook 03_model, cell-02 (code cell 1 of 9)\n  | fit(the panel)\na.csv: the file is missing\n  What to do: "
    )
    text += "put it there, or correct its name"
    assert speaker().say(text).splitlines() == [
        "笔记本 03_model，cell-02（第 1 个代码单元格，共 9 个）",
        "  | fit(the panel)",
        "a.csv：缺少该文件",
        "  怎么办：请将文件放到该处，或更正其名称",
    ]


def test_a_long_line_of_many_signs_is_said_in_no_time():
    speaker().say("a, b and c: d; e of f, column g, " * 400)


def test_a_long_list_of_names_is_parted_once_and_not_in_every_way(monkeypatch):
    counted: list[tuple[str, int]] = []
    monkeypatch.setattr(Speaker, "_listed", count(Speaker._listed, counted))
    assert speaker().say(f"name one of: {', '.join(f'one name{k}' for k in range(12))}").startswith("可用的有：")
    assert len(counted) == len(set(counted))


def count(method, counted):
    def counting(self, *arguments):
        counted.append(arguments)
        return method(self, *arguments)

    return counting


@pytest.mark.parametrize(
    ("set_to", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({SPOKEN: "en", "LC_ALL": "zh_CN.UTF-8"}, "en"),
        ({SPOKEN: "zh"}, "zh"),
    ],
)
def test_the_first_variable_that_is_set_decides(set_to, language, monkeypatch):
    for name in (SPOKEN, "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    assert spoken_language() == language


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        (["--language", "zh", "list"], ("zh", ["list"])),
        (["list", "--language=en"], ("en", ["list"])),
        (["--language", "fr", "list"], (None, ["--language", "fr", "list"])),
        (["run", "--only", "3"], (None, ["run", "--only", "3"])),
    ],
)
def test_the_language_may_stand_anywhere(arguments, taken):
    assert take_language(arguments) == taken


def test_a_language_is_that_of_one_command(monkeypatch, capsys):
    monkeypatch.setenv(SPOKEN, "en")
    monkeypatch.setenv("STUDY_ROOT", str(ROOT))
    main(["--language", "zh", "run", "nowhere"])
    assert os.environ[SPOKEN] == "en"
    assert "怎么办：" in capsys.readouterr().err
    main(["run", "nowhere"])
    assert "What to do: " in capsys.readouterr().err


def test_in_english_nothing_of_the_catalogue_is_loaded():
    code = "import sys, helpers.cli as c; c.main(['list']); print('helpers.report.console' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, SPOKEN: "en", "STUDY_ROOT": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines()[-1] == "False"


def commands():
    for action in build_parser()._actions:
        if action.dest == "command" or (action.choices and isinstance(action.choices, dict)):
            return sorted(action.choices)
    return []


@pytest.mark.parametrize("command", ["", *commands()])
def test_the_help_of_every_command_is_chinese(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--language", "zh", *([command] if command else []), "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert text.startswith("用法：study")
    assert english(text) == []


def test_a_parser_that_writes_the_readme_is_left_in_english():
    parser = build_parser()
    help_before = parser.format_help()
    translate_help(build_parser())
    assert parser.format_help() == help_before


def test_lines_are_broken_by_their_width():
    lines = break_lines("运行目录（默认：reports/STUDY），其余保持原样。", 20)
    assert all(sum(1 + (sign > "\u2e80") for sign in line) <= 22 for line in lines)
    assert not any(line[0] in "，。；：、）" for line in lines)
    assert "".join(lines) == "运行目录（默认：reports/STUDY），其余保持原样。"


def test_a_translation_follows_a_place_that_is_named_anew(tmp_path):
    path = tmp_path / "a.po"
    update(path, {"{path} is missing": ""})
    path.write_text(path.read_text().replace('msgstr ""', 'msgstr "缺少 {path}"'))
    assert update(path, {"{file} is missing": ""}) == 0
    assert read_messages(path) == {"{file} is missing": "缺少 {file}"}


# Tables that `study adopt` refuses, or asks about.
HEAD = "province,year,gdp,digital\n"
ROWS = "".join(
    f"P{unit},{year},{unit}{year % 7},{year % 5}.{unit}\n" for unit in range(4) for year in range(2010, 2016)
)
TABLES = {
    "a word": HEAD + ROWS + "P9,2010,abc,1\n",
    "twice": HEAD + ROWS + "P0,2010,5,6\n",
    "twice the same": HEAD + ROWS + ROWS.splitlines()[0] + "\n",
    "one unit": HEAD + "".join(line + "\n" for line in ROWS.splitlines() if line.startswith("P0")),
    "one measure": "province,year,gdp\n" + "".join(line.rpartition(",")[0] + "\n" for line in ROWS.splitlines()),
    "no time": "province,gdp,digital\nA,1,2\nB,3,4\nC,5,7\n",
    "no header": "1,2,3\n4,5,6\n",
    "nothing": "",
    "ragged": HEAD + ROWS + "P9,2010,1,2,3,4\n",
    "unit in a cell": HEAD + ROWS + "P9,2010,5 kg,1\n",
    "brackets": HEAD + ROWS + "P9,2010,(5),1\n",
    "infinite": HEAD + ROWS + "P9,2010,inf,1\n",
    "constant": HEAD + "".join(f"P{unit},{year},{unit},{unit}\n" for unit in range(4) for year in range(2010, 2014)),
    "no year": HEAD + ROWS + "P9,sometime,3,1\n",
    "two headings": "province,year,gdp,gdp\n" + ROWS,
}
OPTIONS = {
    "outcome": ["--outcome", "nothing"],
    "same": ["--outcome", "gdp", "--treatment", "gdp"],
    "controls": ["--controls", "sky"],
    "decimal": ["--decimal", "x"],
    "claim": ["--claim", "hopes"],
    "units": ["--units", "nowhere"],
    "name": ["--name", "Not A Name"],
    "taken": ["--name", "provinces"],
    "entity": ["--entity", "city"],
}
COMMANDS = {
    "study": ["check", "nowhere"],
    "preset": ["run", "--preset", "huge"],
    "only": ["run", "--only", "77"],
    "set": ["run", "--set", "nothing=3"],
    "type": ["run", "--set", "bootstrap_draws=many"],
    "trust": ["run", "--trust"],
    "notebooks": ["run", "--notebooks", "nowhere"],
    "workers": ["run", "--workers", "no"],
    "value": ["run", "--timeout"],
    "command": ["ran"],
    "needed": ["cite"],
    "unknown": ["list", "--all"],
    "key": ["cite", "baseline.headlin"],
    "impact": ["impact", "digital_infrastructur"],
    "why": ["why", "nothing.at.all"],
    "gold": ["grade", "--gold", "nowhere.json"],
    "against": ["verify", "--against", "no-such-revision"],
    "sides": ["diff", "nowhere", "no-such-revision"],
    "new": ["new", "provinces"],
    "from": ["new", "mine", "--from", "nowhere"],
    "sweep": ["sweep", "nowhere.yml"],
    "no file": ["adopt", "nowhere.csv"],
    "address": ["adopt", "https://example.org/a.csv"],
    "explain": ["explain"],
    "list": ["list"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with data, notebooks and the committed results, and nothing else."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", root)
    for name in ("data", "notebooks", "src"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "reports" / "provinces").mkdir(parents=True)
    shutil.copy(ROOT / "reports" / "provinces" / "results.json", root / "reports" / "provinces")
    return root


def told(arguments, project, monkeypatch, capsys):
    """What a command prints in Chinese."""
    monkeypatch.setenv("STUDY_ROOT", str(project))
    monkeypatch.chdir(project)
    with contextlib.suppress(SystemExit):
        main(["--language", "zh", *arguments])
    out, err = capsys.readouterr()
    return out + err


@pytest.mark.parametrize("case", COMMANDS)
def test_what_a_command_refuses_or_tells_is_told_in_chinese(case, project, monkeypatch, capsys):
    text = told(COMMANDS[case], project, monkeypatch, capsys)
    assert re.search("[\u4e00-\u9fff]", text)
    assert english(text) == []


@pytest.mark.parametrize("case", [*TABLES, *OPTIONS, "good"])
def test_what_is_said_of_a_table_is_said_in_chinese(case, project, tmp_path, monkeypatch, capsys):
    path = tmp_path / "own.csv"
    path.write_text(TABLES.get(case, HEAD + ROWS), encoding="utf-8")
    name = [] if "--name" in OPTIONS.get(case, []) else ["--name", f"own_{abs(hash(case))}"]
    text = told(["adopt", str(path), *name, *OPTIONS.get(case, [])], project, monkeypatch, capsys)
    assert re.search("[\u4e00-\u9fff]", text)
    assert english(text) == []

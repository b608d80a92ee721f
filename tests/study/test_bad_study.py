"""Bad input from the command line to the message: exit 2, three parts, no traceback, and an earlier report untouched.

Every case damages a copy of a study in one way. What a person can put right is found by `study check`, and by
`study run` before it starts anything: no kernel is needed here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from helpers.cli import main
from helpers.reading.manifest import write_manifest
from helpers.runner.twins import write_twins
from helpers.study.arguments import BAD_INPUT, DONE

ROOT = Path(__file__).resolve().parents[2]
OWN = ("run/lock", "run/var")
"""What the runner keeps for itself in a run folder."""


@dataclass(frozen=True)
class Project:
    """A copy of the project's data and notebooks, with what earlier runs made.

    Attributes
    ----------
    root
        Its root.
    study
        The study that is damaged.
    """

    root: Path
    study: str = "provinces"

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.root / "data" / self.study

    @property
    def report(self) -> Path:
        """Its run folder."""
        return self.root / "reports" / self.study

    def edit(self, file: str, old: str, new: str) -> None:
        """Change one place of a file of the study; the change is accepted into the manifest."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        write_manifest(self.folder)

    def choose(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change the content of the study file."""
        path = self.folder / "study.yml"
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        change(content)
        text = yaml.dump(content, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
        path.write_text(text, encoding="utf-8")

    def products(self) -> dict[str, bytes]:
        """Every file of the run folder but the runner's own, with its bytes."""
        files = {path.relative_to(self.report).as_posix(): path for path in self.report.rglob("*") if path.is_file()}
        return {name: path.read_bytes() for name, path in files.items() if not name.startswith(OWN)}


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A project whose two studies have a report, and whose notebooks are in step with their twins."""
    root = tmp_path_factory.mktemp("template") / "project"
    for name in ("data", "notebooks"):
        shutil.copytree(ROOT / name, root / name)
    write_twins(root / "notebooks", prefer="py")
    (root / "src").symlink_to(ROOT / "src")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, root)
    for study in ("provinces", "countries"):
        (root / "reports" / study / "tables").mkdir(parents=True)
        (root / "reports" / study / "run" / "results").mkdir(parents=True)
        for file in ("report.html", "results.json", "tables/panel.csv", "run/results/01_data_cleaning.json"):
            (root / "reports" / study / file).write_text(f"what an earlier run made of {study}")
    return root


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """A copy to be damaged."""
    root = tmp_path / "project"
    shutil.copytree(template, root, symlinks=True)
    monkeypatch.setenv("STUDY_ROOT", str(root))
    with mock.patch.dict(os.environ):  # a run points caches into its own folder
        yield Project(root)


@pytest.fixture
def one_by_one(monkeypatch):
    """A run that starts no kernel before its turn: starting two costs more than the check that ends the run."""
    monkeypatch.setenv("STUDY_FORK", "no")
    return ["--workers", "1"]


def formula(text: str) -> Callable[[Project], None]:
    """Give the first indicator of the treatment another formula."""

    def change(content: dict[str, Any]) -> None:
        content["indices"]["digital_empowerment"]["indicators"]["rd_intensity"]["formula"] = text

    return lambda project: project.choose(change)


def remove(file: str, accept: bool) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        (project.folder / file).unlink()
        if accept:
            write_manifest(project.folder)

    return change


def rewrite_rows(project: Project, file: str, change: Callable[[list[str]], list[str]]) -> None:
    """Change the cells of every line of a raw file that holds figures or headings."""
    path = project.folder / "raw" / file
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    changed = [change(cells) if len(cells) == 10 else cells for cells in lines]
    path.write_text("".join(",".join(cells) + "\n" for cells in changed), encoding="utf-8")
    write_manifest(project.folder)


def level_unemployment(project: Project) -> None:
    """The same rate of unemployment everywhere at all times."""

    def level(cells: list[str]) -> list[str]:
        return cells if cells[0] == "地区" else [cells[0], *["3.5"] * 9]

    rewrite_rows(project, "registered_unemployment_rate.csv", level)


def cut_year(project: Project) -> None:
    """Take 2018 out of the file of the regional product."""
    rewrite_rows(project, "gdp.csv", lambda cells: [*cells[:4], *cells[5:]])


def add_line(project: Project) -> None:
    """Change a raw file without accepting the change."""
    with (project.folder / "raw" / "gdp.csv").open("a") as file:
        file.write("\n")


def keep_one_province(project: Project) -> None:
    path = project.folder / "units.csv"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:2]), encoding="utf-8")
    write_manifest(project.folder)


def keep_one_year(content: dict[str, Any]) -> None:
    content["time"]["first"] = content["time"]["last"]


def add_empty_region(content: dict[str, Any]) -> None:
    region = content["regions"]["region"]
    region["order"].append("north")
    region["labels"]["north"] = {"en": "North", "zh": "北部"}


def put(*path: str, value: Any) -> Callable[[Project], None]:
    """Set one entry of the study file."""

    def change(content: dict[str, Any]) -> None:
        for name in path[:-1]:
            content = content[name]
        content[path[-1]] = value

    return lambda project: project.choose(change)


def gdp(old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit("raw/gdp.csv", old, new)


BEIJING = "北京市,44350.7,"
CELL = ["raw/gdp.csv, line 5, province Beijing, year 2021: "]

# How the study is damaged, and what the message must say.
DATA: dict[str, tuple[Callable[[Project], Any], list[str]]] = {
    "missing file": (remove("raw/gdp.csv", accept=False), ["data/provinces: ", "missing: raw/gdp.csv", "restore"]),
    "missing file, accepted": (remove("raw/gdp.csv", accept=True), ["raw/gdp.csv: the file is missing"]),
    "missing units file": (remove("units.csv", accept=True), ["units.csv: the file is missing"]),
    "changed checksum": (
        add_line,
        ["data/provinces: ", "changed: raw/gdp.csv", "study check provinces --accept"],
    ),
    "missing column of the units": (
        lambda project: project.edit("units.csv", ",region,", ",area,"),
        ["units file, column region: there is no such column", "municipality"],
    ),
    "missing column of aliases": (
        lambda project: project.edit("units.csv", "gb_code,", "code,"),
        ["units.csv: the column 'gb_code' must stand in the header once"],
    ),
    "missing column of the codebook": (
        lambda project: project.edit("codebook.csv", ",grade,", ",quality,"),
        ["codebook.csv: the codebook has no column 'grade'"],
    ),
    "duplicate province-year": (
        gdp(BEIJING, f"{BEIJING}1,1,1,1,1,1,1,1\n{BEIJING}"),
        ["raw/gdp.csv, line 6, province Beijing, year 2021: it already stands in line 5", "keep one row"],
    ),
    "unknown province": (
        gdp("北京市,", "北平市,"),
        ["raw/gdp.csv, line 5: '北平市' is not an entity of the study", "did you mean '北京市'?"],
    ),
    "missing province": (gdp(BEIJING, "#"), ["raw/gdp.csv"]),
    "missing year": (cut_year, ["raw/gdp.csv: there is no year 2018"]),
    "text": (gdp(BEIJING, "北京市,n.a.,"), [*CELL, "'n.a.' stands where a number is needed"]),
    "empty cell": (gdp(BEIJING, "北京市,,"), ["column gdp: ", "no rule covers them", "Beijing; 2021", "under missing"]),
    "infinite": (gdp(BEIJING, "北京市,inf,"), [*CELL, "'inf' is infinite"]),
    "negative": (
        gdp(BEIJING, "北京市,-44350.7,"),
        ["raw/gdp.csv, column gdp, province Beijing, year 2021: -44350.7 is below the minimum 1"],
    ),
    "above the maximum": (
        lambda project: project.edit("raw/registered_unemployment_rate.csv", "北京市,3.23,", "北京市,323,"),
        ["raw/registered_unemployment_rate.csv, ", "Beijing, year 2021: 323 is above the maximum 30"],
    ),
    "another unit": (
        gdp("(亿元)", "(万元)"),
        ["raw/gdp.csv, indicator line: ", "the study declares '地区生产总值(亿元)'"],
    ),
    "constant indicator": (
        level_unemployment,
        ["index governance_effectiveness, column unemployment: it is constant (3.5 in every row)"],
    ),
    "fewer than two provinces": (keep_one_province, ["units.csv: 1 province is too few", "add a province"]),
    "not text": (lambda project: (project.folder / "study.yml").write_bytes(b"\xff\xfe\x00"), ["study.yml: ", "UTF-8"]),
}

CHOICES: dict[str, tuple[Callable[[Project], Any], list[str]]] = {
    "fewer than two years": (lambda project: project.choose(keep_one_year), ["study.yml", "at least two periods"]),
    "a region without members": (
        lambda project: project.choose(add_empty_region),
        ["units file, column region: the region 'north' has no members"],
    ),
    "unknown key": (put("surprise", value=1), ["study.yml: surprise: unknown key", "data/study.schema.json"]),
    "unknown key inside": (put("model", "weights", value="gdp"), ["study.yml: model.weights: unknown key"]),
    "missing key": (lambda project: project.choose(lambda content: content.pop("seed")), ["study.yml: seed: "]),
    "text for a number": (put("seed", value="2015"), ["study.yml: seed: Input should be a valid integer"]),
    "yes for a number": (put("seed", value=True), ["study.yml: seed: Input should be a valid integer"]),
    "text for yes or no": (put("ladder", "pooled", "controls", value="no"), ["study.yml: ladder.pooled.controls: "]),
    "number for a text": (put("title", "en", value=5), ["study.yml: title.en: Input should be a valid string"]),
    "unknown method": (
        put("robustness", "equal_weights", "index", value={"weights": "guess"}),
        ["study.yml: robustness.equal_weights: index: weights: "],
    ),
    "empty study file": (lambda project: (project.folder / "study.yml").write_text(""), ["study.yml: "]),
    "unknown control": (
        put("model", "controls", value=["urbanization"]),
        ["model.controls names 'urbanization'", "did you mean 'urbanisation'?"],
    ),
    "mediator made of the treatment": (
        put("variables", "digital_population", "formula", value="industrial_rd_expenditure/1e4/gdp"),
        ["mediator digital_population is made from", "may not be a component of the treatment"],
    ),
    "formula with an unknown column": (
        formula("gdpp / population"),
        ["study.yml, rd_intensity, formula 'gdpp / population': there is no column 'gdpp'", "did you mean 'gdp'?"],
    ),
    "formula with an attribute access": (formula("gdp.values"), ["study.yml, rd_intensity, formula 'gdp.values'"]),
    "formula with a call that is not allowed": (formula("exp(gdp)"), ["study.yml, rd_intensity, formula 'exp(gdp)'"]),
    "formula that imports": (formula("__import__('os')"), ["study.yml, rd_intensity, formula"]),
    "formula that divides by zero": (
        formula("gdp / (population - population)"),
        ["rd_intensity, formula", "province Anhui, year 2013 ", "a division by zero"],
    ),
    "formula that gives a constant": (
        formula("population / population"),
        ["index digital_empowerment, column rd_intensity: it is constant (1 in every row)"],
    ),
    "a preset's unknown parameter": (
        put("presets", "thorough", "bootstrap_drawz", value=5),
        ["bootstrap_drawz: no notebook declares this parameter", "did you mean 'bootstrap_draws'?"],
    ),
    "a rule for what is not there": (
        put("robustness", "without_municipalities", "drop_where", value={"municipality": 2}),
        ["robustness.without_municipalities: ", "drop_where municipality: 2: no entity is so"],
    ),
    "a change that drops an unknown year": (
        put("robustness", "without_2020_2021", "drop_times", value=[2031]),
        ["study.yml: ", "robustness.without_2020_2021 drops the year 2031, which is not analysed"],
    ),
    "controls that the rows cannot tell apart": (
        put("variables", "tertiary", "formula", value="urbanisation_rate * 2"),
        ["tertiary"],
    ),
    "duplicate key": (
        lambda project: project.edit("study.yml", "\nprimary: ", "\nprimary: pooled\nprimary: "),
        ["study.yml, line ", "the key 'primary' stands twice"],
    ),
    "not YAML": (
        lambda project: project.edit("study.yml", "\nprimary: ", "\n\tprimary: "),
        ["study.yml, line ", "not valid YAML"],
    ),
    "claims of a missing result": (
        lambda project: project.edit(
            "claims.yml", "without_years: baseline.province_fe_controls.", "without_years: baseline.province_controls."
        ),
        [
            "claims.yml, claim EMP-1: reads the result baseline.province_controls.digital_empowerment",
            "did you mean 'province_fe_controls'?",
        ],
    ),
    "claims with an unknown placeholder": (
        lambda project: project.edit("claims.yml", "rows: robustness.{row}.", "rows: robustness.{rows}."),
        ["claims.yml, claim EMP-2: {rows} in robustness.{rows}.{treatment} is not known"],
    ),
    "claims with an unknown key": (
        lambda project: project.edit("claims.yml", "\nthresholds:", "\nlimits: {}\nthresholds:"),
        ["claims.yml: limits: unknown key"],
    ),
    "no claims": (remove("claims.yml", accept=False), ["claims.yml: there is no claims file here"]),
}

PILOTS = ("policies", "egov_pilots", "cohorts")
NAMES = [line.split(",")[0] for line in (ROOT / "data" / "provinces" / "tiles.csv").read_text("utf-8").splitlines()[1:]]


def add_column(name: str, formula: str) -> Callable[[dict[str, Any]], None]:
    label = {"en": name, "zh": name}
    return lambda content: content["variables"].update({name: {"formula": formula, "unit": "1", "label": label}})


def still_mediator(content: dict[str, Any]) -> None:
    content["variables"]["digital_population"]["formula"] = "at(population, 2015)"


def still_moderator(content: dict[str, Any]) -> None:
    add_column("flat", "population / population")(content)
    content["coordination"]["moderation"]["technology_with_organisation"]["by"] = "flat"


def alone(project: Project) -> None:
    """Hainan without the neighbour that it has by convention."""
    path = project.folder / "contiguity.csv"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if "Hainan" not in line]
    path.write_text("".join(kept), encoding="utf-8")
    write_manifest(project.folder)


TEXTS: dict[str, tuple[Callable[[Project], Any], list[str]]] = {
    "an indicator as a mediator": (
        put("mediators", "rd_intensity", value={"label": {"en": "R", "zh": "R"}}),
        ["mediator rd_intensity is a component of the treatment"],
    ),
    "a dimension of the outcome as a mediator": (
        put("mediators", "public_service", value={"label": {"en": "P", "zh": "P"}}),
        ["mediator public_service is a component of the outcome"],
    ),
    "a mediator that never moves": (
        lambda project: project.choose(still_mediator),
        ["study.yml, mediators.digital_population: ", "digital_population"],
    ),
    "a moderator that is the same everywhere": (
        lambda project: project.choose(still_moderator),
        ["coordination.moderation.technology_with_organisation: moderator flat: it is the same in every row"],
    ),
    "a policy for all": (
        put(*PILOTS, value=[{"start": 2018, "entities": NAMES}]),
        ["policies.egov_pilots: ", "it reaches every entity"],
    ),
    "a policy for none": (put(*PILOTS, value=[{"start": 2018, "entities": []}]), ["policies.egov_pilots.cohorts.0"]),
    "a policy for an unknown province": (
        put(*PILOTS, value=[{"start": 2018, "entities": ["Zhejang"]}]),
        ["policies.egov_pilots: policy, entity Zhejang: there is no such entity", "did you mean 'Zhejiang'?"],
    ),
    "a policy after the last year": (
        put(*PILOTS, value=[{"start": 2030, "entities": ["Zhejiang"]}]),
        ["policies.egov_pilots: policy, start 2030: the panel runs from 2013 to 2021"],
    ),
    "an island": (alone, ["space.weights.contiguity: contiguity.csv, Hainan: it has no neighbour", "by convention"]),
    "a window outside the data": (
        put("indices", "social_quality", "last", value=2025),
        ["indices.social_quality.last: the year 2025 is not analysed"],
    ),
    "a window beyond a series": (
        put("indices", "social_quality", "last", value=2021),
        ["index social_quality, column pension, province Anhui, year 2020: "],
    ),
    "a framework that points to nothing": (
        lambda project: project.edit(
            "frameworks.yml", "mediation.digital_infrastructure.indirect_effect,", "mediation.infrastructure.path_a,"
        ),
        ["frameworks.yml, emp_mechanism, row 1: points to mediation.infrastructure.path_a, which no run records"],
    ),
}


def expect_message(told: str, parts: list[str]) -> None:
    """Place, rule and remedy, in one message."""
    first, _, rest = told.partition("\n  What to do: ")
    assert ": " in first
    assert rest.strip()
    assert "Traceback" not in told
    assert [part for part in parts if part not in told] == [], told


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(("damage", "parts"), [*DATA.values(), *CHOICES.values()], ids=[*DATA, *CHOICES])
def test_a_damaged_study_is_told_and_nothing_is_touched(project, one_by_one, capsys, command, damage, parts):
    hold_refusal(project, capsys, [command, *one_by_one] if command == "run" else [command], damage, parts)


@pytest.mark.parametrize(("damage", "parts"), [next(iter(DATA.values())), next(iter(CHOICES.values()))])
def test_kernels_that_started_meanwhile_touch_nothing_either(project, capsys, damage, parts):
    hold_refusal(project, capsys, ["run", "--workers", "2"], damage, parts)


@pytest.mark.parametrize(("damage", "parts"), TEXTS.values(), ids=TEXTS)
def test_what_further_texts_cannot_be_asked_is_told_before_a_run(project, one_by_one, capsys, damage, parts):
    hold_refusal(project, capsys, ["run", *one_by_one], damage, parts)


def hold_refusal(project, capsys, command, damage, parts):
    before = project.products()
    damage(project)
    assert main(command) == BAD_INPUT
    expect_message(capsys.readouterr().err, parts)
    assert project.products() == before


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_missing_column_of_a_wide_table_is_told(project, capsys, command):
    countries = Project(project.root, "countries")
    before = countries.products()
    countries.edit("raw/wdi.csv", ",wdi_urban_share,", ",urban_share,")
    assert main([command, "countries"]) == BAD_INPUT
    expect_message(capsys.readouterr().err, ["raw/wdi.csv: there is no column 'wdi_urban_share'", "urban_share"])
    assert countries.products() == before


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "--set", "bootstrap_drawz=5"], ["--set, bootstrap_drawz: ", "did you mean 'bootstrap_draws'?"]),
        (["run", "--set", "bootstrap_draws=many"], ["--set bootstrap_draws=many: ", "is declared as int"]),
        (["run", "--set", "bootstrap_draws=010"], ["--set bootstrap_draws=010: ", "is declared as int"]),
        (["run", "--set", "bootstrap_draws=true"], ["--set bootstrap_draws=true: ", "is declared as int"]),
        (["run", "--set", "out=elsewhere"], ["--set, out: ", "no notebook declares this parameter"]),
        (["run", "--preset", "fast"], ["--preset fast: ", "declared are: quick, standard, thorough"]),
        (["run", "province"], ["data/province/study.yml: there is no study file here", "countries, provinces"]),
        (["check", "province"], ["data/province/study.yml: there is no study file here", "countries, provinces"]),
        (["run", "--only", "10_more"], ["--only 10_more: there is no such notebook"]),
    ],
    ids=lambda value: " ".join(value) if value[0] in ("run", "check") else "",
)
def test_arguments_are_told_and_nothing_is_touched(project, capsys, arguments, parts):
    before = project.products()
    assert main(arguments) == BAD_INPUT
    expect_message(capsys.readouterr().err, parts)
    assert project.products() == before


@pytest.mark.usefixtures("project")
def test_the_undamaged_studies_pass(capsys):
    assert [main(["check", study]) for study in ("provinces", "countries")] == [DONE, DONE]
    assert capsys.readouterr().err == ""


def test_an_output_folder_below_a_file_is_told(project, capsys):
    (project.root / "file").write_text("kept")
    assert main(["run", "--out", str(project.root / "file" / "folder")]) == BAD_INPUT
    expect_message(capsys.readouterr().err, ["file/folder: cannot be written to", "--out"])
    assert (project.root / "file").read_text() == "kept"


def test_a_full_disk_is_told_and_nothing_is_touched(project, capsys, monkeypatch):
    def write_bytes(path, _):
        raise OSError(28, "No space left on device", str(path))

    before = project.products()
    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    assert main(["run"]) == BAD_INPUT
    expect_message(capsys.readouterr().err, ["reports/provinces/run/", "No space left on device", "free some space"])
    monkeypatch.undo()
    assert project.products() == before


def run_on(project: Project, mount: str) -> subprocess.CompletedProcess[str]:
    """Run the study into a small disk of its own, mounted in a name space that ends with the process."""
    disk = project.root / "disk"
    disk.mkdir()
    script = f"""
set -e
mount -t tmpfs -o size=64k tmpfs "$1"
mkdir "$1/run"
echo provinces > "$1/run/study"
echo earlier > "$1/report.html"
{mount}
code=0
"$2" -m helpers.cli run --out "$1" || code=$?
cat "$1/report.html"
exit $code
"""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(disk), sys.executable]
    return subprocess.run(command, capture_output=True, text=True, cwd=project.root, timeout=120)


def may_mount() -> bool:
    """Whether this machine lets a process mount in a name space of its own."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="this machine gives no name space in which to mount a disk")
@pytest.mark.parametrize(
    ("mount", "parts"),
    [
        ("", ["No space left on device", "free some space"]),
        ('mount -o remount,ro "$1"', ["cannot be written to: Read-only file system", "--out"]),
    ],
    ids=["full", "read-only"],
)
def test_a_real_disk_that_takes_nothing_is_told(project, mount, parts):
    done = run_on(project, mount)
    assert (done.returncode, done.stdout) == (BAD_INPUT, "provinces: preset standard\nearlier\n")
    expect_message(done.stderr, parts)

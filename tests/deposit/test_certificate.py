"""The forms that a verification fills in: what they say is what was counted, and the crate keeps its profile."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from helpers.cli import main
from helpers.deposit.certificate import _classify
from helpers.deposit.crate import build_crate
from helpers.errors import StudyError
from helpers.review.reference import open_reference, unpack
from helpers.study.arguments import BAD_INPUT, DONE
from helpers.study.study import load_study


@pytest.fixture(scope="module")
def verified(finished):
    """The small project with a record of its verification."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDY_ROOT", str(finished.root))
        assert main(["verify"]) == DONE
    return finished


@pytest.fixture(autouse=True)
def _here(verified, monkeypatch):
    monkeypatch.setenv("STUDY_ROOT", str(verified.root))


@pytest.fixture
def written(tmp_path, capsys):
    assert main(["certificate", "--out", str(tmp_path)]) == DONE
    capsys.readouterr()
    return tmp_path


def test_the_report_counts_what_the_verification_counted(verified, written):
    text = (written / "REPLICATION.md").read_text(encoding="utf-8")
    record = json.loads((verified.reports / "run" / "verify" / "verify.json").read_text(encoding="utf-8"))
    assert f"against {record['reference']}: 12 of 12 numbers reproduced." in text
    assert "| sizes | 01_first cell-04 | 6 of 6 | 10 |" in text
    assert "| 01_first | 3 of 3 |" in text
    assert "| 02_second | 3 of 3 |" in text
    assert "- [x] full reproduction\n- [ ] full reproduction with minor issues" in text
    assert "- stable: not looked at" in text
    assert record["machine"]["python"] in text
    run = [name for name in record["seconds"] if name not in ("run", "report")]  # others may lie beside them
    assert f"{len(run)} notebooks, run side by side where one does not read another: {', '.join(run)}." in text
    assert f"| whole run | {record['seconds']['run']:.1f} |" in text
    for heading in ("Summary", "Data description", "Data checks", "Computing environment", "Replication steps", "Findings", "Classification"):  # fmt: skip
        assert f"## {heading}\n" in text


def test_the_chinese_report_says_the_same_and_holds_no_english_sentence(written):
    texts = {name: (written / name).read_text(encoding="utf-8") for name in ("REPLICATION.md", "REPLICATION.zh.md")}
    english, chinese = texts.values()
    assert english.count("\n") == chinese.count("\n")
    assert numbers(english) == numbers(chinese)
    bare = re.sub(r"`[^`]*`|[\w.-]*[._\d][\w.-]*", "", chinese.partition("## 计算环境")[0])
    bare += re.sub(r"`[^`]*`|[\w.-]*[._\d][\w.-]*", "", chinese.partition("## 复现步骤")[2])
    assert re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", bare) == []
    assert "- [x] 完全复现\n- [ ] 完全复现，有轻微问题" in chinese


def numbers(text: str) -> list[str]:
    """The numbers of each line, sorted, so that a language may put them in its own order."""
    return ["; ".join(sorted(re.findall(r"\d[\d.,]*\d|\d", line))) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("complete", "pictures", "counts", "place"),
    [
        (True, [], (5, 0, 0), 0),
        (True, ["map"], (5, 0, 0), 1),
        (False, [], (3, 2, 1), 2),
        (False, [], (2, 2, 1), 3),
    ],
)
def test_the_class_of_a_reproduction_follows_its_counts(complete, pictures, counts, place):
    told = dict(zip(("reproduced", "differs", "cannot say"), counts, strict=True))
    assert _classify({"complete": complete, "pictures_that_differ": pictures, "numbers": told}) == place


def test_codecheck_lists_every_file_that_was_compared(written):
    content = yaml.safe_load((written / "codecheck.yml").read_text(encoding="utf-8"))
    assert content["version"] == "https://codecheck.org.uk/spec/config/1.0/"
    assert [item["file"] for item in content["manifest"]] == [
        "reports/provinces/results.json",
        "reports/provinces/tables/sizes.csv",
    ]
    assert {"paper", "codechecker", "summary", "check_time", "certificate"} <= content.keys()


def test_the_crate_names_the_notebooks_that_ran_and_no_others(verified):
    study = load_study(verified.root / "data" / "provinces")
    record = json.loads((verified.reports / "run" / "verify" / "verify.json").read_text(encoding="utf-8"))
    less = record | {"seconds": {"run": 1.0, "01_first": 1.0, "report": 1.0}}  # 02 did not run
    named = {str(item.id) for item in build_crate(verified.root, study, less).get_entities()}
    assert "notebooks/01_first.py" in named
    assert "notebooks/02_second.py" not in named


def test_the_crate_keeps_the_workflow_run_profile(verified, written):
    """What the profiles call a MUST, read from their text: https://w3id.org/ro/wfrun/workflow/0.5 and process/0.5."""
    graph = {item["@id"]: item for item in json.loads((written / "ro-crate-metadata.json").read_text())["@graph"]}
    root = graph["./"]
    assert graph["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    profiles = [item["@id"] for item in root["conformsTo"]]
    assert [name.rpartition("/")[0] for name in profiles] == [
        "https://w3id.org/ro/wfrun/process",
        "https://w3id.org/ro/wfrun/workflow",
        "https://w3id.org/workflowhub/workflow-ro-crate",
    ]
    assert all("CreativeWork" in graph[name]["@type"] for name in profiles)
    workflow = graph[root["mainEntity"]["@id"]]
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow"} == set(workflow["@type"])
    assert workflow["programmingLanguage"]["@id"] in graph
    (action,) = [graph[item["@id"]] for item in _list(root["mentions"])]
    assert action["@type"] == "CreateAction"
    assert action["instrument"] == root["mainEntity"]
    assert action["endTime"]
    for part in (*action["object"], *action["result"]):
        assert part["@id"] in {item["@id"] for item in root["hasPart"]}
        assert (verified.root / part["@id"]).is_file()
    assert all(root[name] for name in ("name", "description", "datePublished", "license"))


def _list(item):
    return item if isinstance(item, list) else [item]


def test_without_a_verification_of_the_project_as_it_stands_nothing_is_written(verified, tmp_path, capsys):
    verified.edit("src/helpers/shared.py", "Twice each number", "Two times each number")
    try:
        assert main(["certificate", "--out", str(tmp_path / "out")]) == BAD_INPUT
    finally:
        verified.git("checkout", "--", "src")
    assert "the code changed after the study was verified" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow("a run of the small project from its bundle")
def test_a_bundle_is_the_same_bytes_and_runs_elsewhere_by_its_own_command(verified, tmp_path):
    shutil.copy(Path(__file__).parents[2] / "run_all.sh", verified.root / "run_all.sh")
    (verified.root / "setup.sh").write_text(f'export STUDY_ROOT="$root" PYTHONPATH="$root/src" PATH="{Path(sys.executable).parent}:$PATH"\n')  # fmt: skip
    archives = [tmp_path / "one.zip", tmp_path / "two.zip"]
    try:
        for archive in archives:
            assert main(["bundle", "--out", str(archive)]) == DONE
    finally:
        for name in ("run_all.sh", "setup.sh"):
            (verified.root / name).unlink()
    assert archives[0].read_bytes() == archives[1].read_bytes()
    home = unpack(archives[0], tmp_path / "elsewhere")
    assert {"certificate", "data", "notebooks", "src", "reports", "requirements.lock", "ro-crate-metadata.json"} <= {
        path.name for path in home.iterdir()
    }
    before = (home / "reports" / "provinces" / "results.json").read_bytes()
    subprocess.run(["./run_all.sh", "provinces"], cwd=home, check=True, capture_output=True)
    assert (home / "reports" / "provinces" / "results.json").read_bytes() == before
    with open_reference(verified.root, "provinces", str(archives[0])) as reference:
        assert (reference.folder / "results.json").read_bytes() == before


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/evil.txt", "C:/evil.txt", "a\\..\\..\\evil.txt"])
def test_an_archive_writes_nothing_outside(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("a/results.json", "{}")
        archive.writestr(name, "evil")
    with pytest.raises(StudyError, match="would lie outside"):
        unpack(tmp_path / "evil.zip", tmp_path / "in" / "side")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["evil.zip"]


def test_an_archive_with_a_link_is_refused(tmp_path):
    entry = zipfile.ZipInfo("a/link")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(StudyError, match="would lie outside"):
        unpack(tmp_path / "evil.zip", tmp_path / "out")


def damage(path: Path) -> None:
    """Other bytes than those of its checksum."""
    path.write_bytes(path.read_bytes().replace(b"honest", b"forged", 1))


@pytest.mark.parametrize(
    ("text", "largest", "spoil", "told"),
    [
        ("", 100, None, "holds 0 bytes, unpacked"),
        ("honest", 5, None, "holds 6 bytes, unpacked"),
        ("honest", 6, lambda path: path.write_bytes(path.read_bytes()[:40]), "not a zip archive"),
        ("honest", 6, damage, "it is damaged"),
    ],
)
def test_an_archive_that_is_empty_too_large_or_damaged_is_refused(tmp_path, monkeypatch, text, largest, spoil, told):
    """Its size is read from its list of files, so that nothing is unpacked to know it."""
    monkeypatch.setattr("helpers.review.reference.LARGEST", largest)
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/results.json", text)
    if spoil:
        spoil(path)
    with pytest.raises(StudyError, match=told):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("command", [["certificate"], ["bundle"]])
def test_an_unknown_study_is_bad_input(command, capsys):
    assert main([*command, "nosuch"]) == BAD_INPUT
    assert "What to do:" in capsys.readouterr().err

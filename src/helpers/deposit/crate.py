"""A run as an RO-Crate of the Workflow Run profile: which workflow, from which files, to which results, on what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.deposit.certificate import notebooks_run

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

    from helpers.study.study import Study

FILE = "ro-crate-metadata.json"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
WORKFLOW = "run_all.sh"


def write_crate(root: Path, study: Study, record: Mapping[str, Any], folder: Path) -> Path:
    """Write ``ro-crate-metadata.json``; the files that it names are those of the project, beside which it belongs.

    Parameters
    ----------
    root
        The project's root.
    study
        The study.
    record
        Of a verification.
    folder
        Where to write.
    """
    import json

    from helpers.files import write_text

    crate = build_crate(root, study, record)
    text = json.dumps(crate.metadata.generate(), ensure_ascii=False, indent=1, sort_keys=True)
    return write_text(folder / FILE, text + "\n")


def build_crate(root: Path, study: Study, record: Mapping[str, Any]) -> ROCrate:
    """The crate."""
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate()
    crate.name = study.title.en
    crate.description = study.question.en
    crate.license = "https://spdx.org/licenses/MIT"
    crate.datePublished = record["date"]
    crate.root_dataset["conformsTo"] = [_add(crate, name, "CreativeWork", **_profile(name)) for name in PROFILES]
    _add(crate, "https://spdx.org/licenses/MIT", "CreativeWork", name="MIT License")
    workflow = _workflow(crate)
    action = ContextEntity(crate, f"#run-{record['date']}", {"@type": "CreateAction", **_action(record)})
    crate.add(action)
    action["instrument"] = workflow
    action["agent"] = _add(
        crate,
        "#machine",
        "SoftwareApplication",
        name=record["machine"]["system"],
        softwareVersion=record["machine"]["python"],
    )
    action["object"] = [_file(crate, path, root) for path in _inputs(root, study, record)]
    action["result"] = [_file(crate, path, root) for path in _outputs(root, study)]
    crate.root_dataset["mentions"] = [action]
    return crate


def _profile(name: str) -> dict[str, str]:
    title, version = PROFILES[name]
    return {"name": title, "version": version}


def _action(record: Mapping[str, Any]) -> dict[str, Any]:
    numbers = record["numbers"]
    return {
        "name": f"Run from raw data on {record['date']}",
        "description": f"{numbers['reproduced']} of {sum(numbers.values())} numbers reproduced",
        "startTime": record["date"],
        "endTime": record["date"],
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }


def _workflow(crate: ROCrate) -> Any:
    from rocrate.model.file import File

    language = _add(crate, "#bash", "ComputerLanguage", name="Bash", url={"@id": "https://www.gnu.org/software/bash/"})
    kind = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    workflow = File(crate, dest_path=WORKFLOW, properties={"@type": kind, "name": "From raw figures to the report"})
    crate.add(workflow)
    workflow["programmingLanguage"] = language
    crate.mainEntity = workflow
    return workflow


def _add(crate: ROCrate, place: str, kind: str, /, **fields: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, place, {"@type": kind, **fields}))


def _file(crate: ROCrate, path: Path, root: Path) -> Any:
    import hashlib

    from rocrate.model.file import File

    content = path.read_bytes()
    fields = {"sha256": hashlib.sha256(content).hexdigest(), "contentSize": str(len(content)), "name": path.name}
    return crate.add(File(crate, dest_path=path.relative_to(root).as_posix(), properties=fields))


def _inputs(root: Path, study: Study, record: Mapping[str, Any]) -> list[Path]:
    data = sorted(path for path in study.folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [*data, *(root / "notebooks" / f"{name}.py" for name in notebooks_run(record)), root / "requirements.lock"]


def _outputs(root: Path, study: Study) -> list[Path]:
    home = root / "reports" / study.name
    wanted = [home / "results.json", home / "report.html", *home.glob("tables/*.csv"), *home.glob("figures/*.svg")]
    return sorted(path for path in wanted if path.is_file())

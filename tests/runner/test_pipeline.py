"""A run from end to end on the miniature project: what runs, what is kept, and what a person is told."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from conftest import build_mini
from helpers.errors import StudyError
from helpers.runner import pipeline, workspace
from helpers.runner.execution import NotebookError
from helpers.runner.kernels import processes
from helpers.runner.pipeline import Outcome, run
from helpers.runner.plan import explain, plan
from helpers.runner.record import digest_file, read_entry

SEED = 20240909
DRIVER = """\
import sys
from pathlib import Path
from helpers.runner.pipeline import run
from helpers.runner.plan import Request
root = Path(sys.argv[1])
outcome = run(Request(root, "mini", root / "data" / "mini", root / "reports" / "mini", only="03_third", workers=2))
for error in outcome.errors:
    print(error, file=sys.stderr)
sys.exit(bool(outcome.errors))
"""


def names(outcome: Outcome) -> list[str]:
    assert not outcome.errors, outcome.errors
    return list(outcome.ran)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run folder as a first run leaves it."""
    with pytest.MonkeyPatch.context() as patch:
        mini = build_mini(tmp_path_factory.mktemp("finished"), patch)
        assert names(run(mini.request())) == ["01_first", "02_second", "03_third"]
    return mini.folder


@pytest.fixture
def done(mini, finished):
    """The miniature project after a first run (nothing in a run folder depends on where it stands)."""
    shutil.copytree(finished, mini.folder)
    return mini


def test_a_second_run_has_nothing_to_do(done):
    before = done.products()
    assert run(done.request()) == Outcome({}, ("01_first", "02_second", "03_third"), ())
    assert done.products() == before


def test_two_fresh_runs_give_the_same_bytes(done):
    before = done.products()
    request = done.request(folder=done.root / "elsewhere")
    assert names(run(request)) == ["01_first", "02_second", "03_third"]
    assert done.products(request.folder) == before


def test_an_edited_notebook_runs_with_those_that_read_it_only(done):
    done.edit("notebooks/02_second.py", "upper()", "title()")
    assert names(run(done.request(only="02_second"))) == ["02_second"]


def test_results_that_stay_the_same_stop_the_spreading(done):
    done.edit("notebooks/02_second.py", "run.read(", "run.read(name=")
    assert names(run(done.request())) == ["02_second"]


def test_other_results_spread(done):
    done.edit("notebooks/01_first.py", "draws: int = 3", "draws: int = 4")
    assert names(run(done.request())) == ["01_first", "02_second"]


def test_a_parameter_runs_the_notebook_that_declares_it(done):
    assert names(run(done.request(settings={"label": "y"}))) == ["03_third"]
    assert "y ['01_first', '02_second']" in (done.folder / "notebooks" / "03_third.ipynb").read_text()


def test_a_damaged_product_is_made_again(done):
    path = done.folder / "tables" / "upper.csv"
    good = path.read_bytes()
    path.write_text("damaged")
    assert names(run(done.request())) == ["02_second"]
    assert path.read_bytes() == good


def test_a_product_that_is_no_longer_made_goes(done):
    done.edit("notebooks/02_second.py", '"upper"', '"capitals"')
    run(done.request())
    assert sorted(path.name for path in (done.folder / "tables").iterdir()) == ["capitals.csv", "panel.csv"]


def test_a_failure_leaves_earlier_results_untouched(done):
    before = done.products()
    done.edit("notebooks/02_second.py", "run.save()", "raise ValueError('no')")
    outcome = run(done.request())
    assert [str(error).splitlines()[0] for error in outcome.errors] == [
        "notebook 02_second, cell-04 (code cell 4 of 4)"
    ]
    assert done.products() == before


def test_a_failure_is_remembered_until_the_notebook_is_put_right(done):
    done.edit("notebooks/02_second.py", "run.save()", "raise ValueError('no')")
    run(done.request())
    assert explain(plan(done.request()))["02_second"][0].startswith(
        "its last attempt failed: notebook 02_second, cell-04"
    )
    done.edit("notebooks/02_second.py", "raise ValueError('no')", "run.save()")
    assert names(run(done.request())) == ["02_second"]
    assert explain(plan(done.request()))["02_second"] == []


def test_what_depends_on_a_failure_does_not_run(mini):
    mini.edit("notebooks/01_first.py", "run.save()", "raise ValueError('no')")
    outcome = run(mini.request())
    assert (outcome.ran, len(outcome.errors)) == ({}, 1)


def test_a_notebook_sees_only_what_it_reads(done):
    shown = done.folder / "run" / "staging" / "02_second" / "in"
    job = plan(done.request())[1]
    shown.parent.mkdir(parents=True)
    pipeline._show_upstream(job)
    found = sorted(path.relative_to(shown).as_posix() for path in shown.rglob("*") if path.is_file())
    assert found == ["run/results/01_first.json", "tables/panel.csv"]


def test_reasons_are_given_in_words(done):
    done.edit("src/helpers/shared.py", '"a"', '"b"')
    reasons = explain(plan(done.request(settings={"draws": "5"})))
    assert reasons["01_first"] == ["parameter draws is 5, was the default", "src/helpers/shared.py changed"]


def test_a_notebook_behind_a_changed_one_says_on_what_it_depends(done):
    done.edit("notebooks/01_first.py", "draws: int = 3", "draws: int = 4")
    assert explain(plan(done.request()))["02_second"] == ["only if 01_first, run again, gives other results"]


def test_a_changed_figure_is_a_reason(done):
    (done.root / "data" / "mini" / "raw" / "gdp.csv").write_text("2\n")
    assert explain(plan(done.request()))["01_first"] == ["data/mini/raw/gdp.csv changed"]


def test_a_text_about_the_study_is_none(done):
    (done.root / "data" / "mini" / "SOURCES.md").write_text("words\n")
    assert not any(explain(plan(done.request())).values())


def test_a_new_lock_is_a_reason(done):
    (done.root / "requirements.lock").write_text("nothing==2\n")
    assert explain(plan(done.request()))["03_third"] == ["requirements.lock changed"]


@pytest.mark.parametrize("only", ["02", "2", "02_second"])
def test_only_names_a_notebook_by_its_number_too(only, mini):
    assert [job.name for job in plan(mini.request(only=only))] == ["01_first", "02_second"]


def test_what_has_run_is_told_at_once_and_what_was_changed_by_hand_before(done):
    told: list[str] = []
    (done.folder / "tables" / "upper.csv").write_text("changed")
    run(done.request(tell=told.append))
    assert told[0] == "02_second: tables/upper.csv is not as this task left it; it is made anew"
    assert told[1].startswith("02_second: ran for ")
    assert len(told) == 2


def test_only_must_name_a_notebook(mini):
    with pytest.raises(StudyError, match="name one of: 01_first, 02_second, 03_third"):
        plan(mini.request(only="04"))


def test_the_runner_needs_its_parameters(mini):
    mini.edit("notebooks/02_second.py", 'out: str = ""', 'target: str = ""')
    with pytest.raises(StudyError, match="does not declare out"):
        plan(mini.request())


def test_a_twin_out_of_step_stops_before_anything_runs(mini):
    path = mini.root / "notebooks" / "02_second.py"
    path.write_text(path.read_text().replace("upper()", "title()"))
    with pytest.raises(StudyError, match="out of step"):
        run(mini.request())
    assert not mini.folder.exists()


@pytest.fixture
def with_report(done, monkeypatch):
    """The miniature project run with a report in place of the real one."""

    def write_report(study, run_folder, notebooks):
        path = run_folder / "report.html"
        path.write_text(f"{study} {notebooks}")
        return path

    monkeypatch.setattr("helpers.study.study.load_study", lambda folder: folder.name)
    monkeypatch.setattr("helpers.report.report.write_report", write_report)
    assert names(run(done.request(only=None))) == ["report"]
    return done


def test_the_report_comes_last_and_once(with_report):
    assert (with_report.folder / "report.html").read_text() == "mini ['01_first', '02_second', '03_third']"
    assert (with_report.folder / "results.json").is_file()
    assert names(run(with_report.request(only=None))) == []


def test_the_report_follows_its_style_sheet_and_the_notebooks_do_not(with_report):
    report = with_report.root / "src" / "helpers" / "report" / "report.py"
    report.write_text(report.read_text() + 'STYLE = "page.css"\n')
    run(with_report.request(only=None))
    (with_report.root / "src" / "helpers" / "report" / "page.css").write_text("body { color: red }\n")
    reasons = explain(plan(with_report.request(only=None)))
    assert reasons == {
        "01_first": [],
        "02_second": [],
        "03_third": [],
        "report": ["src/helpers/report/page.css changed"],
    }


def test_a_run_folder_that_cannot_be_made_is_told(mini):
    (mini.root / "file").write_text("")
    with pytest.raises(StudyError, match="cannot be written to"):
        run(mini.request(folder=mini.root / "file" / "folder"))


def test_two_runs_do_not_share_a_folder(mini):
    with workspace.only_run(mini.folder), pytest.raises(StudyError, match="another run is at work here"):
        run(mini.request())


def test_a_full_disk_is_bad_input_and_loses_nothing(done, monkeypatch):
    before = done.products()
    done.edit("notebooks/02_second.py", "upper()", "title()")

    def full(*_):
        raise OSError(28, "No space left on device", "tables/upper.csv")

    monkeypatch.setattr(pipeline, "publish", full)
    (error,) = run(done.request()).errors
    assert isinstance(error, StudyError)
    assert str(error).startswith("tables/upper.csv: No space left on device")
    assert done.products() == before


def test_trusted_notebooks_of_another_folder_run_and_the_record_names_them(mini, tmp_path):
    theirs = tmp_path / "theirs"
    shutil.copytree(mini.root / "notebooks", theirs)
    shutil.rmtree(mini.root / "notebooks")
    outcome = run(mini.request(notebooks=theirs))
    assert names(outcome) == ["01_first", "02_second", "03_third"]
    label = Path(os.path.relpath(theirs / "01_first.py", mini.root)).as_posix()
    assert read_entry(mini.folder, "01_first").inputs[label] == digest_file(theirs / "01_first.py")


def start(mini) -> subprocess.Popen[str]:
    driver = mini.root / "driver.py"
    driver.write_text(DRIVER)
    source = Path(pipeline.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{mini.root / 'src'}{os.pathsep}{source}"}
    # The driver needs all helpers, its kernels the miniature ones, which come first on the path of both.
    for module in source.joinpath("helpers").rglob("*.py"):
        target = mini.root / "src" / module.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        if not target.exists():
            target.write_bytes(module.read_bytes())
    command = [sys.executable, str(driver), str(mini.root)]
    return subprocess.Popen(command, env=environment, text=True, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a run and what it said."""
    _, told = process.communicate(timeout=120)
    return process.returncode, told


def kernels_of(mini) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if (folder / "cwd").readlink() == mini.root and (b"ipykernel" in command or b"forks.py" in command):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
VICTIMS = ("runner", "server", "kernel", "runner and kernel")


def disturb(mini, victim: str, number: int, after: float) -> int:
    """Begin a run and hit it once; how many processes were hit (none where the victim was not there)."""
    process = start(mini)
    time.sleep(after)
    servers = children(process.pid)
    forked = [kernel for server in servers for kernel in children(server)]
    chosen = {"runner": [process.pid], "server": servers, "kernel": forked, "runner and kernel": [process.pid, *forked]}
    hit = 0
    for target in chosen[victim]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, number)
            hit += 1
    finish(process)
    return hit


def children(parent: int) -> list[int]:
    """The processes that a process has started from its main thread."""
    with contextlib.suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return []


@pytest.mark.slow("a run killed and taken up again, many times")
def test_a_run_killed_at_random_points_goes_on_to_the_same_bytes(mini):
    began = time.monotonic()
    assert finish(start(mini)) == (0, "")
    latest = time.monotonic() - began
    good = mini.products()
    entries = {name: read_entry(mini.folder, name) for name in ("01_first", "02_second", "03_third")}
    draw = random.Random(SEED)
    for path in mini.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    for victim in VICTIMS:
        disturb(mini, victim, draw.choice(SIGNALS), draw.uniform(0.3, 1.0) * latest)
    assert finish(start(mini)) == (0, "")
    assert mini.products() == good
    for name, entry in entries.items():
        assert read_entry(mini.folder, name).products == entry.products
    wait_for(lambda: not kernels_of(mini))
    assert [path.name for path in mini.folder.rglob(".*")] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_kernel(mini, number):
    mini.edit("notebooks/01_first.py", 'print("three rows")', "import time; time.sleep(60)")
    process = start(mini)
    wait_for(lambda: kernels_of(mini))
    time.sleep(1)
    process.send_signal(number)
    code, told = finish(process)
    assert code != 0
    assert "KeyboardInterrupt" in told
    assert kernels_of(mini) == []


def test_a_killed_kernel_is_one_message_and_the_next_run_goes_on(done, monkeypatch):
    before = done.products()
    done.edit("notebooks/03_third.py", "print(label", "import time; time.sleep(30 * (label == 'x')); print(label")

    def kill():
        for process in processes._kernels:
            os.kill(process, signal.SIGKILL)

    def hear(notebook, number, _):
        if (notebook, number) == ("03_third", 3):
            threading.Timer(1, kill).start()

    monkeypatch.setattr("helpers.runner.execution.listeners", listeners := [hear])
    (error,) = run(done.request()).errors
    listeners.clear()  # what is set off in the next run would kill the kernels of another test
    assert isinstance(error, NotebookError)
    assert "The kernel died" in str(error)
    assert done.products() == before
    assert names(run(done.request(settings={"label": "z"}))) == ["03_third"]


@pytest.mark.parametrize("fork", ["yes", "no"])
def test_a_kernel_takes_no_interrupt(done, monkeypatch, fork):
    """One that takes it after the last statement of a cell never answers, and the run waits for it."""
    monkeypatch.setenv("STUDY_FORK", fork)
    before = done.products()
    done.edit("notebooks/02_second.py", "run.save()", "import time; time.sleep(0.5); run.save()")

    def interrupt(*_):
        for process in processes._kernels:
            os.kill(process, signal.SIGINT)

    def hear(*_):
        threading.Timer(0.2, interrupt).start()
        interrupt()

    monkeypatch.setattr("helpers.runner.execution.listeners", [hear])
    assert names(run(done.request())) == ["02_second"]
    assert done.products().keys() == before.keys()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())  # the run itself can be interrupted


def test_a_kernel_is_killed_before_it_leads_its_group():
    with subprocess.Popen(["sleep", "60"]) as process:
        processes.kill(process.pid)
        assert process.wait(timeout=30) == -signal.SIGKILL


def test_a_cluster_does_the_same_work(mini):
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        outcome = run(mini.request(scheduler=cluster.scheduler_address))
        assert names(outcome) == ["01_first", "02_second", "03_third"]
        mini.edit("notebooks/02_second.py", "run.save()", "raise ValueError('no')")
        (error,) = run(mini.request(scheduler=cluster.scheduler_address)).errors
        assert str(error).startswith("notebook 02_second, cell-04 (code cell 4 of 4)")


def test_a_scheduler_that_does_not_answer_is_told(mini, monkeypatch):
    monkeypatch.setattr(pipeline, "PATIENCE", 1)
    with pytest.raises(StudyError, match="no scheduler answers"):
        run(mini.request(scheduler="tcp://127.0.0.1:9"))


def test_a_notebook_runs_the_same_with_and_without_a_start_ahead(mini):
    run(mini.request(workers=1))
    alone = mini.products()
    run(mini.request(workers=3, folder=mini.root / "elsewhere"))
    assert mini.products(mini.root / "elsewhere") == alone


def test_the_first_notebook_runs_while_the_study_is_checked(mini):
    began = (
        mini.root / "reports" / "mini" / "run" / "staging" / "01_first" / "out" / "run" / "results" / "01_first.json"
    )

    def check():
        wait_for(began.is_file)
        assert not (mini.folder / "run" / "results").exists()  # nothing is in place before the check is done

    assert names(run(mini.request(workers=2, check=check))) == ["01_first", "02_second", "03_third"]
    assert not began.exists()


def test_a_study_that_fails_its_check_leaves_nothing_and_no_kernel(mini):
    mini.edit("notebooks/01_first.py", "run.save()", "import time\ntime.sleep(600)\nrun.save()")

    def refuse():
        wait_for((mini.folder / "run" / "staging" / "01_first" / "out").is_dir)
        wait_for(lambda: len(kernels_of(mini)) > 1)
        raise StudyError("study.yml", "it is wrong", "mend it")

    with pytest.raises(StudyError, match="it is wrong"):
        run(mini.request(workers=2, check=refuse))
    wait_for(lambda: not kernels_of(mini))
    assert [path for path in mini.folder.rglob("*") if path.is_file() and path.name != "lock"] == []

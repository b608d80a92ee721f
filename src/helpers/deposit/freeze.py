"""The plan of a study: the hash of its choices and claims, and every later change with date and reason."""

from __future__ import annotations

from pathlib import Path

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.results.panel_of_checks import PLAN, digest_plan, read_plan
from helpers.review.machine import today

HEAD = """\
# The plan of this study

SHA-256 of `study.yml` and `claims.yml` when the plan was frozen and after every change. `study freeze` writes it.

| date | what | study.yml | claims.yml | reason |
|---|---|---|---|---|
"""


def freeze(folder: Path, reason: str = "") -> str:
    """Freeze the plan of a study, or note a change of it.

    Parameters
    ----------
    folder
        The study's folder.
    reason
        Why the plan was changed; needed when it was.

    Returns
    -------
    str
        What was done, in words.

    Raises
    ------
    StudyError
        The plan was changed and no reason is given, or a reason that a table cannot hold.
    """
    rows, now = read_plan(folder), digest_plan(folder)
    where = str(folder / PLAN)
    if rows and rows[-1].digests == now:
        return f"{PLAN}: nothing has changed since {rows[-1].date}"
    if rows and not reason.strip():
        rule = f"the plan was changed after {rows[-1].date}"
        raise StudyError(where, rule, 'say why: study freeze --reason "..."')
    if "|" in reason or "\n" in reason:
        raise StudyError(where, "a reason stands in one line, without the sign |", "write it in one sentence")
    kind = "deviation" if rows else "frozen"
    line = f"| {today()} | {kind} | `{now[0]}` | `{now[1]}` | {reason.strip() or 'the plan'} |\n"
    path = folder / PLAN
    write_text(path, (path.read_text(encoding="utf-8") if rows else HEAD) + line)
    return f"{PLAN}: {kind}"

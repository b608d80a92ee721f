"""What the project's own git repository holds: revisions, and the files of one laid out in a folder."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from helpers.errors import StudyError


def has_git(root: Path) -> bool:
    """Whether the project is the work tree of a git repository."""
    top = _git(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(top.decode().strip()).resolve() == root.resolve()


def find_revision(root: Path, name: str) -> str:
    """The full hash of a commit.

    Raises
    ------
    StudyError
        There is no repository, or no such commit in it.
    """
    found = None if name.startswith("-") else _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found is None:
        rule = "neither a folder nor a revision of this project's git repository"
        raise StudyError(name, rule, "name a folder with results.json in it, or a commit, branch or tag (`git log`)")
    return found.decode().strip()


def list_files(root: Path, revision: str, under: str) -> dict[str, str]:
    """Files of a revision below a folder, each with the hash of its content."""
    listed = _git(root, "ls-tree", "-r", "-z", revision, "--", under) or b""
    entries = [entry.split("\t", 1) for entry in listed.decode().split("\0") if entry]
    return {name: head.split()[2] for head, name in entries}


def lay_out(root: Path, revision: str, target: Path, *under: str) -> None:
    """Write the files of a revision, or those below some folders of it, into a folder.

    Raises
    ------
    StudyError
        The archive holds a file that would come to lie outside, or git cannot make it.
    """
    archive = _git(root, "archive", "--format=tar", revision, "--", *under)
    if archive is None:
        raise StudyError(revision, "its files cannot be read from the repository", "try `git fsck`")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            _write(files, member, target.resolve(), revision)


def _write(files: tarfile.TarFile, member: tarfile.TarInfo, target: Path, revision: str) -> None:
    """Write one member of an archive of git, which holds folders, files and links; tarfile's filters are younger."""
    place = target / member.name
    meant = place.parent / member.linkname if member.issym() else place
    if not (place.parent.resolve().is_relative_to(target) and meant.resolve().is_relative_to(target)):
        rule = f"a file of it would lie outside ({member.name})"
        raise StudyError(revision, rule, "take that file out of the repository")
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        place.mkdir(exist_ok=True)
    elif member.issym():
        place.symlink_to(member.linkname)
    elif (content := files.extractfile(member)) is not None:
        place.write_bytes(content.read())
        place.chmod(member.mode & 0o777)


def describe_commit(root: Path) -> str:
    """Hash of the last commit, with a word when files differ from it; empty without a repository."""
    if not has_git(root):
        return ""
    head = (_git(root, "rev-parse", "HEAD") or b"").decode().strip()
    changed = (_git(root, "status", "--porcelain", "--untracked-files=no") or b"").strip()
    return f"{head}, with changes" if head and changed else head


def _git(root: Path, *arguments: str) -> bytes | None:
    """What git prints; None when it fails or is not there."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)  # noqa: S603, S607
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None

"""Short-lived folders outside the project that other accounts can enter and run programs in."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A folder that anybody may walk through, but only we may list or change."""
    parents = scratch_parents()
    parent = next((each for each in parents if _is_open(each)), parents[0])
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scratch_parents() -> list[Path]:
    """Where to look: the temporary folder may be ours alone, or one where no program may run."""
    names = dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp"))
    return [Path(name) for name in names if Path(name).is_dir()]


def _is_open(folder: Path) -> bool:
    path = folder.resolve()
    may_enter = all(each.stat().st_mode & 0o001 for each in (path, *path.parents))
    forbids_programs = os.statvfs(path).f_flag & getattr(os, "ST_NOEXEC", 0)
    return may_enter and not forbids_programs and os.access(path, os.W_OK)

"""What is written belongs to its user alone: files 0600 and folders 0700, whatever the umask; the site where it is set.

The umask holds for all that a process and its children write, DuckDB's, Prefect's and dbt's files among it. A home
that an older version has made is narrowed when its warehouse is opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hnintel.settings import Settings

#: Bits of a mode that let others read, write or enter.
_OTHERS = 0o077
#: What a home holds, beside the files whose names begin with that of the warehouse's.
_FOLDERS = ("logs", "prefect", "dbt")


def set_umask() -> None:
    """Have all that this process and its children write from now on be their user's alone."""
    os.umask(_OTHERS)


def protect(settings: Settings) -> None:
    """Set the umask, and narrow what an older version, or another umask, has left in the home of *settings*.

    Only what is ours by its name is touched, and the home itself where it holds nothing else: ``HNINTEL_HOME`` may be
    a folder that is used for other things too. With ``site_readable`` others may enter the home and read its site.
    """
    set_umask()
    home = settings.folder
    for name in _FOLDERS:
        _narrow(home / name)
    for path in _beginning_with(settings.warehouse_file):
        _narrow(path)
    publish_site(settings)
    if not settings.site_readable:
        _narrow(settings.site)
        if _is_ours_alone(settings):
            _narrow(home, within=False)


def publish_site(settings: Settings) -> None:
    """Where ``site_readable`` is set, let others read the site, and enter the home without seeing what is there."""
    if not settings.site_readable or not settings.site.is_dir():
        return
    with suppress(OSError):  # another's folder, as a mounted volume is: it has the modes that its owner gave it
        settings.folder.chmod(stat.S_IMODE(settings.folder.stat().st_mode) & ~_OTHERS | 0o011)
    for path in _with_all_below(settings.site):
        _let_in(path)


def _narrow(path: Path, within: bool = True) -> None:
    """Take others' rights off *path*, and off all below it; a folder that is closed to others is taken as done."""
    with suppress(OSError):  # gone meanwhile, or another's
        mode = path.lstat().st_mode
        if not mode & _OTHERS or stat.S_ISLNK(mode):
            return
        # The folder comes last: one that is narrow already has been gone through to its end.
        for one in [*(reversed(list(_with_all_below(path))) if within else ()), path]:
            _change(one, ~_OTHERS, 0)


def _let_in(path: Path) -> None:
    _change(path, ~_OTHERS, 0o055 if path.is_dir() else 0o044)


def _change(path: Path, kept: int, added: int) -> None:
    with suppress(OSError):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) or stat.S_ISREG(mode):  # what a link leads to is not ours to change
            path.chmod(stat.S_IMODE(mode) & kept | added)


def _with_all_below(path: Path) -> Iterator[Path]:
    """*path*, and files and folders below it, a folder before what is in it; links are not followed."""
    yield path
    for folder, folders, files in os.walk(path):
        for name in [*folders, *files]:
            yield Path(folder, name)


def _beginning_with(path: Path) -> list[Path]:
    """The file at *path* and those that lie beside it for its sake: its lock, its log, what was spilled."""
    with suppress(OSError):
        return [one for one in path.parent.iterdir() if one.name == path.name or one.name.startswith(f"{path.name}.")]
    return []


def _is_ours_alone(settings: Settings) -> bool:
    home = settings.folder
    ours = {home / name for name in (*_FOLDERS, "site")} | set(_beginning_with(settings.warehouse_file))
    with suppress(OSError):
        return home.stat().st_uid == os.getuid() and ours.issuperset(home.iterdir())
    return False

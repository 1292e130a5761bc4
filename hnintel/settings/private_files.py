"""What is written belongs to its user alone: files 0600 and folders 0700, whatever the umask; the site where it is set.

The umask holds for all that a process and its children write, DuckDB's, Prefect's and dbt's files among it. A home
that an older version has made is narrowed when its warehouse is opened.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hnintel.settings import Settings

#: Bits of a mode that let others read, write or enter.
_OTHERS = 0o077
#: What a home holds, beside the files whose names begin with that of the warehouse's.
_FOLDERS = ("logs", "prefect", "dbt")
#: Bits of a mode that let others write.
_OTHERS_WRITE = 0o022
#: Names of pages: a day's, and the index.
_PAGE = re.compile(r"(\d{4}-\d{2}-\d{2}|index)\.html", re.ASCII)


def set_umask() -> None:
    """Have all that this process and its children write from now on be their user's alone."""
    os.umask(_OTHERS)


def protect(settings: Settings) -> None:
    """Set the umask, and narrow what an older version, or another umask, has left in the home of *settings*.

    Only what is ours by its name is touched. The home itself is closed where it holds nothing else; ``HNINTEL_HOME``
    may be a folder that is used for other things too, and then loses only the right of others to write, with which they
    could replace our files. With ``site_readable`` others may enter the home and read its site.
    """
    set_umask()
    for name in _FOLDERS:
        _narrow(settings.folder / name)
    for path in _beginning_with(settings.warehouse_file):
        _narrow(path)
    publish_site(settings)
    if not settings.site_readable:
        _narrow(settings.site)
        _change_home(settings, 0)


def publish_site(settings: Settings) -> None:
    """Where ``site_readable`` is set, let others read the site, and enter the home without seeing what is there.

    Of the site, its folder and the pages that we write are opened, and nothing that somebody else has put there;
    others may write none of it. A site that is a link to another folder has the modes that its owner gives that folder.
    """
    if not settings.site_readable or not settings.site.is_dir():
        return
    _change_home(settings, 0o011)
    if settings.site.is_symlink():
        return
    _change(settings.site, ~_OTHERS_WRITE, 0o055)
    for path in list(_with_all_below(settings.site))[1:]:
        is_page = path.parent == settings.site and _PAGE.fullmatch(path.name)
        _change(path, ~_OTHERS_WRITE, 0o044 if is_page else 0)


def _change_home(settings: Settings, added: int) -> None:
    """Close the home to others but for *added*; one that holds other things is only made unwritable for them."""
    home = settings.folder
    with suppress(OSError):  # not there yet; or another's, as a mounted volume is: it has the modes of its owner
        held = home.stat()  # of the folder that a link leads to
        if held.st_uid != os.getuid() and not added:
            return
        # Where the sticky bit is set, as in /tmp, others cannot replace our files, and have files of their own there.
        shared = 0 if held.st_mode & stat.S_ISVTX else _OTHERS_WRITE
        taken = _OTHERS if _is_ours_alone(settings) else shared
        home.chmod(stat.S_IMODE(held.st_mode) & ~taken | added)


def _narrow(path: Path) -> None:
    """Take others' rights off *path*, and off all below it; a folder that is closed to others is taken as done."""
    with suppress(OSError):  # gone meanwhile, or another's
        mode = path.lstat().st_mode
        if not mode & _OTHERS or stat.S_ISLNK(mode):
            return
        # The folder comes last: one that is narrow already has been gone through to its end.
        for one in reversed(list(_with_all_below(path))):
            _change(one, ~_OTHERS, 0)


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
    return ours.issuperset(home.iterdir())

"""Keeps written files private to their user: files 0600, folders 0700; the site is readable if so set.

The umask covers all files of this process and its children, including DuckDB's, Prefect's and dbt's. The home of an
older version is restricted when its warehouse is opened.
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
#: Folders of a home, besides the files whose names begin with the warehouse's.
_FOLDERS = ("logs", "prefect", "dbt")
#: Bits of a mode that let others write.
_OTHERS_WRITE = 0o022
#: File names of pages: a day's page and the index.
_PAGE = re.compile(r"(\d{4}-\d{2}-\d{2}|index)\.html", re.ASCII)


def set_umask() -> None:
    """Make all further files of this process and its children private to their user."""
    os.umask(_OTHERS)


def protect(settings: Settings) -> None:
    """Set the umask, and restrict existing files in the home of *settings* from an older version or another umask.

    Only files with our names are changed. The home itself is closed to others if it has no other files; a folder that
    is used for other things too only loses others' right to write, with which they could replace our files. With
    ``site_readable`` others may enter the home and read its site.
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
    """If ``site_readable`` is set, let others read the site and enter the home without listing it.

    Only the site's folder and our own pages become readable, not files of other origin; others may write none of them.
    If the site is a link to another folder, that folder's modes are left to its owner.
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
    """Remove others' rights on the home except *added*; a home with other files only becomes unwritable for them."""
    home = settings.folder
    with suppress(OSError):  # missing, or another user's, such as a mounted volume, whose modes are left alone
        status = home.stat()  # follows a link to its folder
        if status.st_uid != os.getuid() and not added:
            return
        # Where the sticky bit is set, as in /tmp, others cannot replace our files, and have files of their own there.
        shared = 0 if status.st_mode & stat.S_ISVTX else _OTHERS_WRITE
        removed = _OTHERS if _is_ours_alone(settings) else shared
        home.chmod(stat.S_IMODE(status.st_mode) & ~removed | added)


def _narrow(path: Path) -> None:
    """Remove others' rights on *path* and all below it; a folder closed to others already counts as done."""
    with suppress(OSError):  # deleted meanwhile, or owned by another user
        mode = path.lstat().st_mode
        if not mode & _OTHERS or stat.S_ISLNK(mode):
            return
        # The folder is changed last, so that a closed folder is one whose content was changed completely.
        for child in reversed(list(_with_all_below(path))):
            _change(child, ~_OTHERS, 0)


def _change(path: Path, mask: int, added: int) -> None:
    with suppress(OSError):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) or stat.S_ISREG(mode):  # targets of links are not ours to change
            path.chmod(stat.S_IMODE(mode) & mask | added)


def _with_all_below(path: Path) -> Iterator[Path]:
    """*path*, and files and folders below it, a folder before what is in it; links are not followed."""
    yield path
    for folder, folders, files in os.walk(path):
        for name in [*folders, *files]:
            yield Path(folder, name)


def _beginning_with(path: Path) -> list[Path]:
    """The file at *path* and its companions: its lock, its log, its spill files."""
    with suppress(OSError):
        return [
            file for file in path.parent.iterdir() if file.name == path.name or file.name.startswith(f"{path.name}.")
        ]
    return []


def _is_ours_alone(settings: Settings) -> bool:
    home = settings.folder
    ours = {home / name for name in (*_FOLDERS, "site")} | set(_beginning_with(settings.warehouse_file))
    return ours.issuperset(home.iterdir())

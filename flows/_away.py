"""Prefect gone, or failing, or the disk full, in the middle of a run: one line that says why and what to do."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from hnintel.errors import HnIntelError, PrefectAway, WarehouseError

#: Less room than this and neither Prefect's database nor the warehouse can grow.
_ROOM = 4 * 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def in_one_line(error: BaseException, folder: Path) -> HnIntelError | None:
    """What to tell where Prefect's client gave up, or its server failed; None for every other error.

    Of what we ask over HTTP ourselves, no such error comes as far as this.

    Args:
        error: that ended the run.
        folder: the home: where it is full, that is why, whoever met it first.
    """
    import httpx

    failed = isinstance(error, httpx.HTTPStatusError) and error.response.status_code >= 500
    full = error.strerror if isinstance(error, OSError) and error.errno in _FULL else None
    if not (failed or full or isinstance(error, httpx.TransportError | PrefectAway) or "reach API" in str(error)):
        return None
    if why := _probed(folder) or full:  # by now there may be room again
        return _unwritable(folder, why)
    if isinstance(error, PrefectAway):
        return error
    away = "fails to answer" if failed else "does not answer"
    if given := os.environ.get("PREFECT_API_URL"):
        what, mend = f"Prefect's API at {given} {away}", "start it, or unset PREFECT_API_URL"
    else:  # ours was told of only as long as it was there
        what, mend = f"the run's own Prefect server {away}", f"see {folder}/prefect/server.log"
    return PrefectAway(f"{what}: {mend}; what was read and answered is kept, run it again to go on from there")


def _probed(folder: Path) -> str | None:
    """Why nothing more can be written there; None where it can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_ROOM))
            probe.flush()
    except OSError as error:
        return error.strerror
    return None


def _unwritable(folder: Path, why: str) -> WarehouseError:
    return WarehouseError(
        f"{folder} cannot be written ({why}): make room there, or give another HNINTEL_HOME; "
        "what was read and answered is kept, run it again to go on from there"
    )

"""Errors of a run whose Prefect server is gone or failing, or whose disk is full: one line with cause and advice."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import httpx

from hnintel.errors import HnIntelError, PrefectAway, UsageError, WarehouseError

#: Bytes of free space without which neither Prefect's database nor the warehouse can grow.
_ROOM = 4 * 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STORED = "items and answers so far are stored; run it again to continue"


def in_one_line(error: BaseException, folder: Path, api: str | None) -> HnIntelError | None:
    """Return the error to show where Prefect's client gave up or its server failed; None for every other error.

    Errors of our own HTTP requests are handled elsewhere and never reach this function.

    Args:
        error: the error that ended the run.
        folder: the home folder: a full disk there is reported as the cause, whichever error came first.
        api: the address of Prefect's API; None where the run had a server of its own.
    """
    if type(error).__name__ == "ParameterTypeError":  # Prefect's; it names the expected types, not the values
        wrong = [line.strip().removeprefix("- ") for line in str(error).splitlines()[1:]]
        return UsageError(f"the run's parameters are not valid: {'; '.join(wrong)}: correct them and start it again")
    failed = isinstance(error, httpx.HTTPStatusError) and error.response.status_code >= 500
    full = error.strerror if isinstance(error, OSError) and error.errno in _FULL else None
    late = isinstance(error, RuntimeError) and "ephemeral Prefect API server" in str(error)
    away = isinstance(error, httpx.TransportError | PrefectAway) or "reach API" in str(error)
    if not (failed or full or late or away):
        return None
    if why := _probed(folder) or full:  # space may have been freed since
        return _unwritable(folder, why)
    if isinstance(error, PrefectAway):
        return error
    if late:
        what = "the server that Prefect starts by itself did not start in time"
        mend = "start one (prefect server start) and set PREFECT_API_URL"
    elif api:
        what = f"Prefect's API at {_without_password(api)} {'fails to answer' if failed else 'does not answer'}"
        mend = "see its log" if failed else "start it, or unset PREFECT_API_URL"
    else:
        what = f"the run's own Prefect server {'fails to answer' if failed else 'does not answer'}"
        mend = f"see {folder}/prefect/server.log"
    return PrefectAway(f"{what}: {mend}; {_STORED}")


def _without_password(url: str) -> str:
    try:
        return str(httpx.URL(url).copy_with(userinfo=b""))
    except httpx.InvalidURL:
        return "PREFECT_API_URL"


def _probed(folder: Path) -> str | None:
    """Return why *folder* cannot be written to; None where it can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_ROOM))
            probe.flush()
    except OSError as error:
        return error.strerror
    return None


def _unwritable(folder: Path, why: str) -> WarehouseError:
    return WarehouseError(
        f"{folder} cannot be written ({why}): free space there, or set another HNINTEL_HOME; {_STORED}"
    )

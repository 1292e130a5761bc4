"""What ends a run and is Prefect's: one line with what to do; all else is left to be told as what nobody foresaw."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from prefect.exceptions import ParameterTypeError, PrefectHTTPStatusError

from hnintel.errors import PrefectAway, UsageError
from tasks.prefect_errors import in_one_line

API = "http://127.0.0.1:9/api"
AGAIN = "items and answers so far are stored; run it again to continue"


def answered(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", f"{API}/flow_runs/")
    response = httpx.Response(status, request=request, text="words of a page")
    with pytest.raises(httpx.HTTPStatusError) as raised:
        response.raise_for_status()
    return PrefectHTTPStatusError.from_httpx_error(raised.value)


@pytest.mark.parametrize(
    ("error", "api", "line"),
    [
        (answered(503), API, f"Prefect's API at {API} fails to answer: see its log; {AGAIN}"),
        (
            httpx.ConnectError("All connection attempts failed"),
            "http://someone:secret@127.0.0.1:9/api",
            f"Prefect's API at {API} does not answer: start it, or unset PREFECT_API_URL; {AGAIN}",
        ),
        (
            RuntimeError("Timed out while attempting to connect to ephemeral Prefect API server."),
            None,
            "the server that Prefect starts by itself did not start in time: start one (prefect server start) "
            f"and set PREFECT_API_URL; {AGAIN}",
        ),
    ],
    ids=["503", "not there", "ephemeral"],
)
def test_prefect_that_is_away_is_told_with_what_to_do(
    tmp_path: Path, error: Exception, api: str | None, line: str
) -> None:
    told = in_one_line(error, tmp_path, api)
    assert isinstance(told, PrefectAway)
    assert str(told) == line


def test_the_log_of_the_runs_own_server_is_named(tmp_path: Path) -> None:
    told = in_one_line(answered(500), tmp_path, None)
    assert str(told) == f"the run's own Prefect server fails to answer: see {tmp_path}/prefect/server.log; {AGAIN}"


def test_parameters_that_do_not_fit_are_told_by_name() -> None:
    error = ParameterTypeError("Flow run received invalid parameters:\n - day: Input should be a date\n - hours: No")
    told = in_one_line(error, Path("nowhere"), API)
    assert isinstance(told, UsageError)
    assert str(told) == (
        "the run's parameters are not valid: day: Input should be a date; hours: No: correct them and start it again"
    )


@pytest.mark.parametrize("error", [RuntimeError("words of a page"), ValueError("words"), answered(404)])
def test_what_is_not_of_prefect_is_not_told(tmp_path: Path, error: Exception) -> None:
    assert in_one_line(error, tmp_path, API) is None

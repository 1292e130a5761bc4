"""What Snowflake's errors come to: each known code in one line, with its mend, as an error of this project.

Snowflake's own words may quote a statement, and with it a page; so none of them is told but the names of objects, in
the messages that are known to hold one. The query id leads whoever may see it to the rest, in the query history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from snowflake.connector import errorcode, errors

from hnintel.engines.base import EngineUnreachable
from hnintel.errors import HnIntelError, ModelUnavailable, WarehouseLost
from hnintel.warehouse.snowflake.codes import AGAIN, BY_CODE, JWT, Told

_CORTEX_FAILED = 100351  # P0000, "Request failed for external function ... with remote service error: 400 '...'"
_NO_MODEL = re.compile(
    r"unknown model[ ,\\\"]*([\w.-]{1,100})|unavailable in your region|not allowed to access model", re.I
)
_REMOTE_STATUS = re.compile(r"remote service error: (\d{3})\b")
#: HTTP statuses are told from here on; those that the connector raises a second time have it added a second time.
_HTTP = errorcode.ER_HTTP_GENERAL_ERROR
#: The connector's own codes of a network that fails (errorcode.py); 250001 is told apart by its class.
_NETWORK = (
    errorcode.ER_FAILED_TO_CONNECT_TO_DB,
    errorcode.ER_FAILED_TO_REQUEST,
    errorcode.ER_FAILED_TO_SERVER,
    errorcode.ER_CONNECTION_TIMEOUT,
    errorcode.ER_RETRYABLE_CODE,
    errorcode.ER_CHUNK_DOWNLOAD_FAILED,
    errorcode.ER_INCOMPLETE_RESULT_CHUNK,
    errorcode.ER_FAILED_TO_UPLOAD_TO_STAGE,
    errorcode.ER_FAILED_TO_CHECK_EXISTING_FILES,
)
_UNREACHABLE = Told("it cannot be reached", f"check SNOWFLAKE_ACCOUNT and the network, then {AGAIN}", WarehouseLost)
_MISSING = Told(
    "the model is not in this account or region",
    "set HNINTEL_CORTEX_FALLBACK_MODEL or HNINTEL_CORTEX_MODELS, or CORTEX_ENABLED_CROSS_REGION on the account",
    ModelUnavailable,
    _NO_MODEL.pattern,
)
_UNKNOWN = Told("it was refused", "look the query id up in Snowflake's query history")


def told(error: errors.Error, what: str) -> HnIntelError:
    """An error of the connector as one of ours, to be raised ``from None``: Snowflake's own words may quote a page.

    Args:
        what: what was under way, in a word or two: ``merge into raw.items``. It must hold no text of a statement.

    Returns:
        WarehouseLost and EngineUnreachable where it may go better soon; WarehouseBusy where another transaction is in
        the way; ModelUnavailable where a model is missing; else a WarehouseError, which is final.
    """
    meaning = _meaning(error)
    name = _name_in(error.raw_msg or "", meaning)
    happened = f"{meaning.happened} ({name})" if name else meaning.happened
    code = f"error {error.errno:06d}" if error.errno and error.errno > 0 else type(error).__name__
    query = f", query {error.sfqid}" if error.sfqid else ""
    return meaning.kind(f"Snowflake, {what}: {happened} [{code}{query}]: {meaning.mend}")


def told_by_code(code: int) -> str:
    """What a code of Snowflake means and what mends it, where no more than the code is known."""
    meaning = BY_CODE.get(code, _UNKNOWN)
    return f"{meaning.happened} [error {code:06d}]: {meaning.mend}"


def missing_model(words: str) -> ModelUnavailable | None:
    """What a row's error details come to where they say that a model is missing; else None."""
    if not _NO_MODEL.search(words):
        return None
    name = _name_in(words, _MISSING)
    return ModelUnavailable(f"Snowflake, asking: {_MISSING.happened}{f' ({name})' if name else ''}: {_MISSING.mend}")


@contextmanager
def told_in_one_line(what: str) -> Iterator[None]:
    """Turn whatever the connector raises within the block into an error of ours, without its own words."""
    try:
        yield
    except errors.Error as error:
        raise told(error, what) from None


def _meaning(error: errors.Error) -> Told:
    code = error.errno or -1
    if code == _CORTEX_FAILED:
        return _cortex(error)
    if code in BY_CODE:
        return BY_CODE[code]
    if code in JWT:
        return BY_CODE[390144]
    if isinstance(error, errors.NonRetryableTlsError):
        return Told("TLS with it fails", "check SNOWFLAKE_HOST, the clock and the certificates of this machine")
    if code == _HTTP + errorcode.ER_FAILED_TO_CONNECT_TO_DB:  # HTTP 403 to a login
        return Told(
            "there is no such account, or it does not let this address in",
            "check SNOWFLAKE_ACCOUNT, then the account's network policies",
        )
    # A login that was refused for a reason without a code of its own comes with the code of one that had no answer,
    # but as a DatabaseError.
    if code == errorcode.ER_FAILED_TO_CONNECT_TO_DB and not isinstance(error, errors.OperationalError):
        return Told("the login was refused", "check SNOWFLAKE_USER and what logs in; the user's login history says why")
    if status := _http_status(code):
        return Told(f"it answered HTTP {status}", AGAIN, WarehouseLost)
    return _UNREACHABLE if code in _NETWORK else _UNKNOWN


def _http_status(code: int) -> int | None:
    return next((code - base for base in (_HTTP, 2 * _HTTP) if 100 <= code - base < 600), None)


def _cortex(error: errors.Error) -> Told:
    words = error.raw_msg or ""
    if _NO_MODEL.search(words):
        return _MISSING
    status = _REMOTE_STATUS.search(words)
    if status and (status[1] == "429" or status[1] >= "500"):
        return Told(f"Cortex answered {status[1]}", AGAIN, EngineUnreachable)
    return Told("Cortex refused the question", "look the query id up in Snowflake's query history")


def _name_in(words: str, meaning: Told) -> str | None:
    """The name of the object that a message is about, where it is known to hold one."""
    found = re.search(meaning.names, words, re.IGNORECASE) if meaning.names else None
    return found[1] if found else None

"""Translate Snowflake's errors into errors of this project: one line for each known code, with its remedy.

Snowflake's own messages may quote a statement, and with it a page; so only names of objects are shown, from messages
known to contain one. The query id leads to the whole message in the query history, for those who may read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from snowflake.connector import errorcode, errors

from hnintel.engines.base import EngineUnreachable
from hnintel.errors import HnIntelError, ModelUnavailable, WarehouseLost
from hnintel.warehouse.snowflake.codes import AGAIN, BY_CODE, JWT, Meaning

_CORTEX_FAILED = 100351  # P0000, "Request failed for external function ... with remote service error: 400 '...'"
_NO_MODEL = re.compile(
    r"unknown model[ ,\\\"]*([\w.-]{1,100})|unavailable in your region|not allowed to access model", re.I
)
_REMOTE_STATUS = re.compile(r"remote service error: (\d{3})\b")
#: The connector adds this to an HTTP status to make a code, and adds it again to an error that it raises again.
_HTTP = errorcode.ER_HTTP_GENERAL_ERROR
#: The connector's codes of a failed network (errorcode.py); 250001 is ambiguous, and its class decides.
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
_UNREACHABLE = Meaning("it cannot be reached", f"check SNOWFLAKE_ACCOUNT and the network, then {AGAIN}", WarehouseLost)
_MISSING = Meaning(
    "the model is not in this account or region",
    "set HNINTEL_CORTEX_FALLBACK_MODEL or HNINTEL_CORTEX_MODELS, or CORTEX_ENABLED_CROSS_REGION on the account",
    ModelUnavailable,
    _NO_MODEL.pattern,
)
_UNKNOWN = Meaning("it was refused", "look the query id up in Snowflake's query history")


def translate(error: errors.Error, what: str) -> HnIntelError:
    """Translate an error of the connector; raise the result ``from None``: Snowflake's message may quote a page.

    Args:
        error: as the connector raised it.
        what: the action that failed, in a word or two: ``merge into raw.items``; never the text of a statement.

    Returns:
        WarehouseLost or EngineUnreachable where a retry may succeed; WarehouseBusy where another transaction has the
        lock; ModelUnavailable where a model is missing; else a WarehouseError, which is final.
    """
    meaning = _meaning(error)
    name = _name_in(error.raw_msg or "", meaning)
    happened = f"{meaning.happened} ({name})" if name else meaning.happened
    code = f"error {error.errno:06d}" if error.errno and error.errno > 0 else type(error).__name__
    query = f", query {error.sfqid}" if error.sfqid else ""
    return meaning.kind(f"Snowflake, {what}: {happened} [{code}{query}]: {meaning.mend}")


def meaning_of_code(code: int) -> str:
    """The meaning and remedy of a code of Snowflake, where only the code is known."""
    meaning = BY_CODE.get(code, _UNKNOWN)
    return f"{meaning.happened} [error {code:06d}]: {meaning.mend}"


def missing_model(words: str) -> ModelUnavailable | None:
    """The error for a row whose error details report a missing model; None for other details."""
    if not _NO_MODEL.search(words):
        return None
    name = _name_in(words, _MISSING)
    return ModelUnavailable(f"Snowflake, asking: {_MISSING.happened}{f' ({name})' if name else ''}: {_MISSING.mend}")


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Translate every error that the connector raises within the block; see :func:`translate`."""
    try:
        yield
    except errors.Error as error:
        raise translate(error, what) from None


def _meaning(error: errors.Error) -> Meaning:
    code = error.errno or -1
    if code == _CORTEX_FAILED:
        return _cortex(error)
    if code in BY_CODE:
        return BY_CODE[code]
    if code in JWT:
        return BY_CODE[390144]
    if isinstance(error, errors.NonRetryableTlsError):
        return Meaning("TLS with it fails", "check SNOWFLAKE_HOST, the clock and the certificates of this machine")
    if code == _HTTP + errorcode.ER_FAILED_TO_CONNECT_TO_DB:  # HTTP 403 to a login
        return Meaning(
            "there is no such account, or it does not let this address in",
            "check SNOWFLAKE_ACCOUNT, then the account's network policies",
        )
    # A login rejected for a reason without its own code has the code of a login without a response, but is a
    # DatabaseError.
    if code == errorcode.ER_FAILED_TO_CONNECT_TO_DB and not isinstance(error, errors.OperationalError):
        return Meaning(
            "the login was refused", "check SNOWFLAKE_USER and what logs in; the user's login history says why"
        )
    if status := _http_status(code):
        return Meaning(f"it answered HTTP {status}", AGAIN, WarehouseLost)
    return _UNREACHABLE if code in _NETWORK else _UNKNOWN


def _http_status(code: int) -> int | None:
    return next((code - base for base in (_HTTP, 2 * _HTTP) if 100 <= code - base < 600), None)


def _cortex(error: errors.Error) -> Meaning:
    words = error.raw_msg or ""
    if _NO_MODEL.search(words):
        return _MISSING
    status = _REMOTE_STATUS.search(words)
    if status and (status[1] == "429" or status[1] >= "500"):
        return Meaning(f"Cortex answered {status[1]}", AGAIN, EngineUnreachable)
    return Meaning("Cortex refused the question", "look the query id up in Snowflake's query history")


def _name_in(words: str, meaning: Meaning) -> str | None:
    """The name of the object in a message, where the message is known to contain one."""
    match = re.search(meaning.names, words, re.IGNORECASE) if meaning.names else None
    return match[1] if match else None

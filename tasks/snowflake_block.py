"""Load the Snowflake login from a Prefect block: only its fields are used, as plain settings.

The block's own ``execute`` is not used: it polls every second for the end of a statement, and logs the whole SQL.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from prefect.runtime import flow_run
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from pydantic import SecretBytes, SecretStr

from hnintel.errors import UsageError
from hnintel.settings import Settings, variable
from hnintel.warehouse.snowflake.login import login

_BLOCKS = {"snowflake-connector": SnowflakeConnector, "snowflake-credentials": SnowflakeCredentials}


def with_block(settings: Settings) -> Settings:
    """Return *settings* with the fields of their ``snowflake_block`` in place of the matching ``SNOWFLAKE_*``.

    Raises:
        UsageError: the block does not exist, or its fields cannot log in.
    """
    block = settings.snowflake_block or ""
    named = f"{variable('snowflake_block')}={block}"
    read = settings.model_copy(update={**_fields(block), "snowflake_block": None})
    try:
        login(read)
    except UsageError as error:
        raise UsageError(f"{named}, read as SNOWFLAKE_*: {error}") from None
    return read


def _fields(block: str) -> dict[str, Any]:
    """Return the block's fields, loaded once per flow run; a changed key applies from the next run on."""
    run = flow_run.id
    return _read_in_run(block, run) if run else _read(block)


@lru_cache(maxsize=64)
def _read_in_run(block: str, run: str) -> dict[str, Any]:
    return _read(block)


def _read(block: str) -> dict[str, Any]:
    kind, _, name = block.partition("/")
    try:
        loaded = _BLOCKS[kind].load(name, _sync=True)
    except ValueError as error:
        if "Unable to find block document" not in str(error):  # the error may quote the block's fields
            raise UsageError(f"{variable('snowflake_block')}={block} is not valid: save it again") from None
        raise UsageError(
            f"{variable('snowflake_block')}={block} does not exist: `prefect block ls` lists the existing blocks"
        ) from None
    if isinstance(loaded, SnowflakeConnector):
        names = {"snowflake_warehouse": loaded.warehouse, "snowflake_database": loaded.database}
        return {**_identity(loaded.credentials), **names}
    return _identity(loaded)


def _identity(block: SnowflakeCredentials) -> dict[str, Any]:
    # "snowflake" is the block's default for every login; the connector uses the key pair where a key is set.
    way = {"snowflake": None, "okta_endpoint": block.endpoint}.get(block.authenticator, block.authenticator)
    fields = {
        "snowflake_account": block.account,
        "snowflake_user": block.user,
        "snowflake_password": block.password,
        "snowflake_private_key": _text(block.private_key),
        "snowflake_private_key_path": str(block.private_key_path) if block.private_key_path else None,
        "snowflake_private_key_passphrase": block.private_key_passphrase,
        "snowflake_token": block.token,
        "snowflake_authenticator": way,
        "snowflake_workload_identity_provider": block.workload_identity_provider,
    }
    return {**fields, **({"snowflake_role": block.role} if block.role else {})}


def _text(secret: SecretBytes | None) -> SecretStr | None:
    return SecretStr(secret.get_secret_value().decode("utf-8", "replace")) if secret else None

"""The login of dbt's ``snowflake`` target: the same identity, as variables that ``dbt/profiles.yml`` reads."""

from __future__ import annotations

from hnintel.errors import UsageError
from hnintel.settings import Settings, variable
from hnintel.warehouse import query_tags
from hnintel.warehouse.snowflake.connection import address, tag
from hnintel.warehouse.snowflake.login import authenticator, key_path, login, pem_key

#: The prefix of variables that dbt removes from its logs and messages.
SECRET = "DBT_ENV_SECRET_HNINTEL_"  # noqa: S105 - a prefix of names
_PLAIN = "HNINTEL_DBT_"


def profile_environment(settings: Settings) -> dict[str, str]:
    """The environment of the target; an empty variable is not sent to Snowflake, and overrides that of an earlier call.

    Raises:
        UsageError: a setting is missing or invalid, or sets a way to log in that dbt does not support.
    """
    where, now = address(settings), query_tags.current()
    known = {
        "ACCOUNT": where["account"],
        "USER": where.get("user"),
        "HOST": where.get("host"),
        "PORT": where.get("port"),
        "PROTOCOL": where.get("protocol"),
        "ROLE": settings.snowflake_role_of("transform"),
        "WAREHOUSE": settings.snowflake_warehouse_of("transform"),
        "DATABASE": settings.snowflake_database_name,
        "QUERY_TAG": tag("transform", {"run": now.run, "day": now.day}),
        "AUTHENTICATOR": None,
        "PRIVATE_KEY_PATH": None,
    }
    secret = {"PASSWORD": "", "PRIVATE_KEY": "", "PRIVATE_KEY_PASSPHRASE": "", "TOKEN": ""}
    for name, value in _proof(settings).items():
        (secret if name in secret else known)[name] = value
    return {
        **{_PLAIN + name: "" if value is None else str(value) for name, value in known.items()},
        **{SECRET + name: value for name, value in secret.items()},
    }


def _proof(settings: Settings) -> dict[str, str]:
    """The proof by dbt's names: dbt has no workload identity, and expects an access token in place of a password."""
    proof = login(settings)  # rejects settings that the pipeline's own connections would reject
    way = authenticator(settings)
    if way == "workload_identity":
        raise UsageError(
            f"{variable('snowflake_workload_identity_provider')}: dbt-snowflake has no workload identity: "
            "log in by a key pair or an OAuth token where dbt builds"
        )
    if way == "snowflake_jwt":
        return _key(settings)
    if way == "programmatic_access_token":
        if not settings.snowflake_user:
            raise UsageError(f"{variable('snowflake_user')} is not set: dbt needs it beside an access token")
        return {"PASSWORD": proof["token"]}
    known = {} if way == "snowflake" else {"AUTHENTICATOR": way}
    return {**known, **{name.upper(): proof[name] for name in ("password", "token") if name in proof}}


def _key(settings: Settings) -> dict[str, str]:
    passphrase = settings.snowflake_private_key_passphrase
    opens = {"PRIVATE_KEY_PASSPHRASE": passphrase.get_secret_value()} if passphrase else {}
    if settings.snowflake_private_key:
        return {"PRIVATE_KEY": pem_key(settings), **opens}
    return {"PRIVATE_KEY_PATH": str(key_path(settings)), **opens}

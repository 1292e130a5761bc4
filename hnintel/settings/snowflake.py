"""The settings of Snowflake: who logs in, and how this project uses it. Read with all others by ``hnintel.settings``.

Who logs in is read from the ``SNOWFLAKE_*`` variables that Snowflake's own tools take; the rest are ``HNINTEL_*``.
Nothing here is checked against the rest before Snowflake is used (``hnintel.warehouse.snowflake.connection``): those
variables may well be there for another tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings

#: What a connection is for; each may have a warehouse and a role of its own.
Stage = Literal["ingest", "enrich", "transform"]

DATABASE = "HN_INTELLIGENCE"


def _blank_is_unset(value: Any) -> Any:
    """An empty variable says nothing: it must not be sent as an empty role, or as a password."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return None if isinstance(text, str) and not text.strip() else value


def _pairs(value: Any) -> Any:
    """A JSON object, kept as pairs: settings are hashed, and an object cannot be."""
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value


Text = Annotated[str | None, BeforeValidator(_blank_is_unset)]
Secret = Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)]
Pairs = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)]


def _shared(name: str, description: str) -> Any:
    """A setting under the name that Snowflake's own tools give it."""
    return Field(None, validation_alias=f"SNOWFLAKE_{name}", description=description)


class SnowflakeSettings(BaseSettings):
    """What of the settings is for Snowflake only."""

    snowflake_account: Text = _shared("ACCOUNT", "The account, as ORGANIZATION-ACCOUNT.")
    snowflake_user: Text = _shared("USER", "Who logs in.")
    snowflake_password: Secret = _shared("PASSWORD", "The password, or a programmatic access token in its place.")
    snowflake_private_key: Secret = _shared("PRIVATE_KEY", "The private key of a key pair, as PEM.")
    snowflake_private_key_path: Text = _shared("PRIVATE_KEY_PATH", "The file that holds it, in place of the PEM.")
    snowflake_private_key_passphrase: Secret = _shared("PRIVATE_KEY_PASSPHRASE", "What the key is encrypted with.")
    snowflake_token: Secret = _shared("TOKEN", "An OAuth, programmatic access or OIDC token.")
    snowflake_authenticator: Text = _shared("AUTHENTICATOR", "How to log in; by default what the secret set is for.")
    snowflake_workload_identity_provider: Text = _shared(
        "WORKLOAD_IDENTITY_PROVIDER", "Who vouches for this workload: aws, azure, gcp or oidc."
    )
    snowflake_role: Text = _shared("ROLE", "The role of the session; by default the user's own.")
    snowflake_warehouse: Text = _shared("WAREHOUSE", "What runs the statements; by default the user's own.")
    snowflake_database: Text = _shared("DATABASE", f"The database, before its suffix; {DATABASE} by default.")
    snowflake_host: Text = _shared("HOST", "Where the account is, if not at its usual address.")
    snowflake_port: Text = _shared("PORT", "The port there; 443 by default.")
    snowflake_protocol: Text = _shared("PROTOCOL", "https, or http for a stand-in on this machine.")

    snowflake_block: Text = Field(
        None,
        pattern=r"^snowflake-(connector|credentials)/[a-z0-9-]+$",
        description="The Prefect block that logs in, snowflake-connector/NAME or snowflake-credentials/NAME.",
    )
    environment: Literal["dev", "staging", "prod"] | None = Field(
        None, description="Which copy of the data; it is the suffix of the Snowflake database's name."
    )
    schema_prefix: Text = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]{0,60}_$",
        description="What the schemas of a branch's own marts begin with, where dbt is run by hand; such as pr_12_.",
    )
    snowflake_warehouse_ingest: Text = Field(None, description="The Snowflake warehouse that loads.")
    snowflake_warehouse_enrich: Text = Field(None, description="The Snowflake warehouse that asks AI.")
    snowflake_warehouse_transform: Text = Field(None, description="The Snowflake warehouse that dbt builds on.")
    snowflake_role_ingest: Text = Field(None, description="The Snowflake role that loads.")
    snowflake_role_enrich: Text = Field(None, description="The Snowflake role that asks AI.")
    snowflake_role_transform: Text = Field(None, description="The Snowflake role that dbt builds with.")
    statement_timeout: int = Field(
        3_600, ge=1, le=604_800, description="Seconds that one statement may run on Snowflake."
    )
    network_timeout: int = Field(
        60, ge=1, le=3_600, description="Seconds to go on trying to reach Snowflake that does not answer."
    )
    cortex_models: Pairs = Field(
        (), description="The Cortex model of an enrichment in place of its own, by the enrichment's name."
    )
    cortex_fallback_model: Text = Field(
        None, description="The Cortex model to ask where the account or its region lacks the one wanted."
    )
    metadata_only: bool = Field(
        False, description="Whether artifacts, logs and events hold counts, ids and hashes only, and no text."
    )

    @property
    def snowflake_database_name(self) -> str:
        """The database of the environment, such as ``HN_INTELLIGENCE_DEV``; a name that says so already is kept."""
        base = self.snowflake_database or DATABASE
        suffix = f"_{self.environment.upper()}" if self.environment else ""
        return base if base.upper().endswith(suffix) else base + suffix

    def snowflake_warehouse_of(self, stage: Stage) -> str | None:
        """The Snowflake warehouse of a stage; None is the user's own."""
        return getattr(self, f"snowflake_warehouse_{stage}") or self.snowflake_warehouse

    def snowflake_role_of(self, stage: Stage) -> str | None:
        """The role of a stage; None is the user's own."""
        return getattr(self, f"snowflake_role_{stage}") or self.snowflake_role

    def cortex_model(self, enrichment: str, declared: str) -> str:
        """The Cortex model that answers for an enrichment: the one set for it, else the *declared* one."""
        return dict(self.cortex_models).get(enrichment, declared)

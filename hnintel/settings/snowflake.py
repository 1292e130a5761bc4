"""The settings of Snowflake: the login, and how this project uses the account. Loaded by ``hnintel.settings``.

The login is read from the ``SNOWFLAKE_*`` variables of Snowflake's own tools; the other variables are ``HNINTEL_*``.
The login is validated only when Snowflake is used (``hnintel.warehouse.snowflake.connection``), because the variables
may be set for another tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings

#: The purpose of a connection; each stage may have its own warehouse and role.
Stage = Literal["ingest", "enrich", "transform"]

DATABASE = "HN_INTELLIGENCE"


def _blank_is_unset(value: Any) -> Any:
    """Treat an empty variable as unset, so that it is not sent as an empty role or password."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return None if isinstance(text, str) and not text.strip() else value


def _pairs(value: Any) -> Any:
    """Convert a JSON object to pairs, because settings must be hashable."""
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value


Text = Annotated[str | None, BeforeValidator(_blank_is_unset)]
Secret = Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)]
Pairs = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)]


def _shared(name: str, description: str) -> Any:
    """A setting with the variable's name in Snowflake's own tools."""
    return Field(None, validation_alias=f"SNOWFLAKE_{name}", description=description)


class SnowflakeSettings(BaseSettings):
    """The settings for Snowflake only."""

    snowflake_account: Text = _shared("ACCOUNT", "The account, as ORGANIZATION-ACCOUNT.")
    snowflake_user: Text = _shared("USER", "The user who logs in.")
    snowflake_password: Secret = _shared("PASSWORD", "The password, or a programmatic access token in its place.")
    snowflake_private_key: Secret = _shared("PRIVATE_KEY", "The private key of a key pair, as PEM.")
    snowflake_private_key_path: Text = _shared("PRIVATE_KEY_PATH", "The file of the private key, in place of the PEM.")
    snowflake_private_key_passphrase: Secret = _shared("PRIVATE_KEY_PASSPHRASE", "The passphrase of the private key.")
    snowflake_token: Secret = _shared("TOKEN", "An OAuth, programmatic access or OIDC token.")
    snowflake_authenticator: Text = _shared(
        "AUTHENTICATOR", "The way to log in; by default derived from the secret that is set."
    )
    snowflake_workload_identity_provider: Text = _shared(
        "WORKLOAD_IDENTITY_PROVIDER", "The identity provider of this workload: aws, azure, gcp or oidc."
    )
    snowflake_role: Text = _shared("ROLE", "The role of the session; by default the user's own.")
    snowflake_warehouse: Text = _shared("WAREHOUSE", "The virtual warehouse of statements; by default the user's own.")
    snowflake_database: Text = _shared("DATABASE", f"The database, before its suffix; {DATABASE} by default.")
    snowflake_host: Text = _shared("HOST", "The account's host, if not the usual one.")
    snowflake_port: Text = _shared("PORT", "The port of the host; 443 by default.")
    snowflake_protocol: Text = _shared("PROTOCOL", "https, or http for a stand-in on this machine.")

    snowflake_block: Text = Field(
        None,
        pattern=r"^snowflake-(connector|credentials)/[a-z0-9-]+$",
        description="The Prefect block that logs in, snowflake-connector/NAME or snowflake-credentials/NAME.",
    )
    environment: Literal["dev", "staging", "prod"] | None = Field(
        None, description="The environment, which is the suffix of the Snowflake database's name."
    )
    schema_prefix: Text = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]{0,60}_$",
        description="The prefix of the schemas of a branch's own marts, for dbt run by hand; such as pr_12_.",
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
    network_timeout: int = Field(60, ge=1, le=3_600, description="Seconds of retries while Snowflake does not answer.")
    cortex_models: Pairs = Field(
        (), description="The Cortex model of an enrichment in place of its own, by the enrichment's name."
    )
    cortex_fallback_model: Text = Field(
        None, description="The Cortex model used if the account or its region lacks the declared one."
    )
    metadata_only: bool = Field(
        False, description="Whether artifacts, logs and events contain only counts, ids and hashes, and no text."
    )

    @property
    def snowflake_database_name(self) -> str:
        """The database of the environment, such as ``HN_INTELLIGENCE_DEV``; an existing suffix is not repeated."""
        base = self.snowflake_database or DATABASE
        suffix = f"_{self.environment.upper()}" if self.environment else ""
        return base if base.upper().endswith(suffix) else base + suffix

    def snowflake_warehouse_of(self, stage: Stage) -> str | None:
        """The Snowflake warehouse of a stage; None means the user's default."""
        return getattr(self, f"snowflake_warehouse_{stage}") or self.snowflake_warehouse

    def snowflake_role_of(self, stage: Stage) -> str | None:
        """The role of a stage; None means the user's default."""
        return getattr(self, f"snowflake_role_{stage}") or self.snowflake_role

    def cortex_model(self, enrichment: str, declared: str) -> str:
        """The Cortex model of an enrichment: the model set for it, else the *declared* model."""
        return dict(self.cortex_models).get(enrichment, declared)

"""Settings for Snowflake, key pairs to log in with, and an account on loopback to log in to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hnintel.settings import Settings, load_settings
from tests.servers.snowflake import Account, SnowflakeStandIn

PASSPHRASE = "open-says-me"
SettingsOf = Callable[..., Settings]


@pytest.fixture(autouse=True)
def _no_account_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SNOWFLAKE_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    """A key pair."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def pem(key: rsa.RSAPrivateKey) -> str:
    """Its private half as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="session")
def der(key: rsa.RSAPrivateKey) -> bytes:
    """Its private half as the connector takes it."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="session")
def locked_pem(key: rsa.RSAPrivateKey) -> str:
    """Its private half as PEM, encrypted with PASSPHRASE."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())).decode()


@pytest.fixture
def key_file(tmp_path: Path, pem: str) -> Path:
    """A file of the PEM."""
    path = tmp_path / "rsa_key.p8"
    path.write_text(pem)
    return path


@pytest.fixture
def account(key: rsa.RSAPrivateKey) -> Account:
    """A small account: LOADER may log in by password, key and token."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Account(
        passwords={"LOADER": "right"},
        public_keys={"LOADER": public},
        tokens={"good-token": "LOADER"},
        roles={"HN_LOADER": {"LOADER"}, "HN_ADMIN": set()},
        databases={"HN_INTELLIGENCE", "HN_INTELLIGENCE_DEV"},
        warehouses={"LOAD_WH": True, "SLEEPING_WH": False},
    )


@pytest.fixture
def snowflake(account: Account) -> Iterator[SnowflakeStandIn]:
    """The account, served."""
    with SnowflakeStandIn(account) as server:
        yield server


@pytest.fixture
def settings_of() -> SettingsOf:
    """Settings of a Snowflake account, without anything that logs in."""

    def make(**given: Any) -> Settings:
        return load_settings(warehouse="snowflake", snowflake_account="acme-hn", snowflake_user="LOADER", **given)

    return make


@pytest.fixture
def here(snowflake: SnowflakeStandIn, settings_of: SettingsOf) -> SettingsOf:
    """Settings that log in to the account on loopback by a password, patient for no longer than two seconds."""
    usual = {
        "snowflake_host": "127.0.0.1",
        "snowflake_port": str(snowflake.port),
        "snowflake_protocol": "http",
        "snowflake_warehouse": "LOAD_WH",
        "snowflake_role": "HN_LOADER",
        "network_timeout": 1,
        "statement_timeout": 1,
    }

    def make(**given: Any) -> Settings:
        proof = {} if any("token" in name or "key" in name for name in given) else {"snowflake_password": "right"}
        return settings_of(**{**usual, **proof, **given})

    return make

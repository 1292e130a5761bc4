"""The login to Snowflake: the ways to log in, the settings that each needs, and settings that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import SecretStr
from snowflake.connector.wif_util import AttestationProvider

from hnintel.errors import UsageError
from hnintel.settings import Settings, variable

PASSWORD, KEY, KEY_PATH = "snowflake_password", "snowflake_private_key", "snowflake_private_key_path"
TOKEN, PROVIDER = "snowflake_token", "snowflake_workload_identity_provider"
PASSPHRASE = "snowflake_private_key_passphrase"  # noqa: S105
#: The settings that prove an identity; the passphrase only decrypts a key.
PROOFS = (PASSWORD, KEY, KEY_PATH, TOKEN, PROVIDER)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to log in: the proofs of which it needs one, and those allowed beside it. Any other contradicts it."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    #: Whether the connector needs a user too; elsewhere the proof names the user.
    user: bool = True


#: By authenticator.
WAYS: Mapping[str, Way] = {
    "snowflake": Way((PASSWORD,)),
    "username_password_mfa": Way((PASSWORD,)),
    "snowflake_jwt": Way((KEY_PATH, KEY)),
    "oauth": Way((TOKEN,), user=False),
    "programmatic_access_token": Way((TOKEN,), user=False),
    "externalbrowser": Way(),
    "workload_identity": Way((PROVIDER,), may=(TOKEN,), user=False),
}
_OKTA, _BY_OKTA = "https://", Way((PASSWORD,))
#: The default authenticator, by the proof that is set.
_DEFAULTS = {
    PASSWORD: "snowflake",
    KEY: "snowflake_jwt",
    KEY_PATH: "snowflake_jwt",
    TOKEN: "oauth",
    PROVIDER: "workload_identity",
}


def login(settings: Settings) -> dict[str, Any]:
    """The connector's arguments that log in: ``authenticator`` and its proof.

    Raises:
        UsageError: there is no proof, settings contradict each other, or a key cannot be read.
    """
    name = authenticator(settings)
    if WAYS.get(name, _BY_OKTA).user and not settings.snowflake_user:
        raise UsageError(f"{variable('snowflake_user')} is not set: it says who logs in")
    return {"authenticator": name, **_proof(settings, name)}


def authenticator(settings: Settings) -> str:
    """The authenticator set, else the default authenticator of the proof set.

    Raises:
        UsageError: the authenticator is unknown, or it has no proof, or a proof that it does not use.
    """
    given = [name for name in PROOFS if getattr(settings, name)]
    if getattr(settings, PASSPHRASE) and not {KEY, KEY_PATH} & {*given}:
        raise UsageError(f"{variable(PASSPHRASE)} is set without a key: set {variable(KEY_PATH)} or {variable(KEY)}")
    if KEY in given and KEY_PATH in given:
        raise UsageError(f"{variable(KEY)} and {variable(KEY_PATH)} are both set: unset one of them")
    name = settings.snowflake_authenticator or _default_authenticator(given)
    if name.lower().startswith(_OKTA):
        way = _BY_OKTA
    elif (name := name.lower()) in WAYS:
        way = WAYS[name]
    else:
        raise UsageError(f"{_named(name)} is not known: use {', '.join(WAYS)} or an Okta address")
    if others := [variable(proof) for proof in given if proof not in (*way.needs, *way.may)]:
        raise UsageError(f"{_named(name)} does not log in by {' or '.join(others)}: unset one of them")
    if way.needs and not {*way.needs} & {*given}:
        raise UsageError(f"{_named(name)} needs {' or '.join(map(variable, way.needs))}: set it")
    return name


def _default_authenticator(given: list[str]) -> str:
    """The authenticator where none is set, from the proofs in *given*.

    Raises:
        UsageError: no proof is set, or several are.
    """
    if {*given} == {PROVIDER, TOKEN}:  # an OIDC token goes with its provider
        return _DEFAULTS[PROVIDER]
    if not given:
        raise UsageError(
            f"nothing to log in to Snowflake with: set one of {', '.join(map(variable, PROOFS))}, "
            f"or {variable('snowflake_authenticator')}=externalbrowser"
        )
    if len(given) > 1:
        names = " and ".join(map(variable, given))
        raise UsageError(f"{names} are both set: unset one of them")
    return _DEFAULTS[given[0]]


def _proof(settings: Settings, name: str) -> dict[str, Any]:
    if name == "snowflake_jwt":
        return {"private_key": der_key(settings)}
    if name == "workload_identity":
        return _workload(settings)
    if name == "externalbrowser":
        return {}
    if TOKEN in WAYS.get(name, _BY_OKTA).needs:
        return {"token": _plain(settings.snowflake_token).strip()}  # a token from a file ends in a newline
    return {"password": _plain(settings.snowflake_password)}


def _workload(settings: Settings) -> dict[str, Any]:
    name = (settings.snowflake_workload_identity_provider or "").strip().upper()
    if name not in AttestationProvider.all_string_values():
        raise UsageError(f"{variable(PROVIDER)}={name.lower()}: it is aws, azure, gcp or oidc")
    token = _plain(settings.snowflake_token).strip()
    if (name == "OIDC") != bool(token):
        verb = "needs" if name == "OIDC" else "does not log in by"
        raise UsageError(f"{variable(PROVIDER)}={name.lower()} {verb} {variable(TOKEN)}")
    return {"workload_identity_provider": AttestationProvider[name], **({"token": token} if token else {})}


def pem_key(settings: Settings) -> str:
    """The private key as PEM, from its file or its setting, in which newlines may be written ``\\n`` or as blanks.

    Raises:
        UsageError: the file cannot be read, or is not PEM.
    """
    if settings.snowflake_private_key:
        text = _plain(settings.snowflake_private_key).replace("\\n", "\n").strip()
        one_line = re.fullmatch(r"(-+[^-\n]+-+)([^-\n]+)(-+[^-\n]+-+)", text)
        return "\n".join([one_line[1], *one_line[2].split(), one_line[3]] if one_line else [text]) + "\n"
    path = key_path(settings)
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise UsageError(f"{variable(KEY_PATH)}={path} cannot be read ({error.strerror}): check the path") from None
    except UnicodeDecodeError:
        raise UsageError(f"{variable(KEY_PATH)}={path} is not PEM: convert the key with openssl pkcs8") from None


def key_path(settings: Settings) -> Path:
    """The path of the private key's file, with ``~`` expanded."""
    try:
        return Path(settings.snowflake_private_key_path or "").expanduser()
    except RuntimeError:
        raise UsageError(f"{variable(KEY_PATH)}: ~ names a user who does not exist: give the whole path") from None


def der_key(settings: Settings) -> bytes:
    """The private key in the connector's format: DER, decrypted with its passphrase.

    Raises:
        UsageError: the key cannot be read or decrypted, or is not an RSA key.
    """
    path = settings.snowflake_private_key_path
    named = f"{variable(KEY_PATH)}={path}" if path else variable(KEY)
    passphrase = _plain(settings.snowflake_private_key_passphrase).encode() or None
    pem = pem_key(settings).encode()
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError:  # from cryptography: an encrypted key without a passphrase, or the reverse
        remedy = (
            f"is not encrypted: unset {variable(PASSPHRASE)}"
            if passphrase
            else f"is encrypted: set {variable(PASSPHRASE)}"
        )
        raise UsageError(f"{named} {remedy}") from None
    except (ValueError, UnsupportedAlgorithm):  # its message may quote the key
        mend = f"check it and {variable(PASSPHRASE)}" if passphrase else "give a PEM private key (PKCS#8)"
        raise UsageError(f"{named} cannot be read as a private key: {mend}") from None
    if not isinstance(key, RSAPrivateKey):
        raise UsageError(
            f"{named} is not an RSA key, the only kind that Snowflake accepts: create one with openssl genrsa 2048"
        )
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _named(way: str) -> str:
    return f"{variable('snowflake_authenticator')}={way}"


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""

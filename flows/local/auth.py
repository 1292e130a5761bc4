"""Authentication at the Prefect servers of a home: a random string in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hnintel.errors import UsageError, WarehouseError
from hnintel.warehouse.duckdb.lock import HeldElsewhere, Hold

#: The file's name, in the folder that Prefect has below the home.
FILE = "auth-string"
SERVER, CLIENT = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"
_CREATED_WITHIN = 10.0


def auth_string(folder: Path) -> str:
    """Return the secret of the home with this Prefect folder; the first caller creates it, later callers read it.

    Args:
        folder: created if missing, private to its owner.

    Returns:
        ``user:password``, 256 bits of it random.

    Raises:
        WarehouseError: the file cannot be read or written.
    """
    path = folder / FILE
    try:
        private_folder(folder)
        if not (secret := _read(path)):
            with Hold(path).taken(_CREATED_WITHIN):
                if not (secret := _read(path)):
                    secret = f"hnintel:{secrets.token_urlsafe(32)}"
                    write_private(path, f"{secret}\n")
    except HeldElsewhere as holder:
        raise WarehouseError(
            f"{path} is being created by {holder} for {_CREATED_WITHIN:g} s: end that, start again"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text"
        raise WarehouseError(f"{path} cannot be used ({why}): remove it, or give another HNINTEL_HOME") from None
    return secret


def shared_string(environ: Mapping[str, str], folder: Path) -> str:
    """The string of a server and its clients: the user's own, by whichever of the two settings, else the home's.

    Raises:
        UsageError: the user has set two different ones.
        WarehouseError: see :func:`auth_string`.
    """
    server, client = environ.get(SERVER), environ.get(CLIENT)
    if server and client and server != client:
        raise UsageError(f"{SERVER} and {CLIENT} differ: set only one, or both to the same value")
    return server or client or auth_string(folder)


def server_settings(auth: str, port: int) -> dict[str, str]:
    """Prefect's settings of a server on loopback that lets in who has *auth*, and scripts of its own pages only."""
    origins = ",".join(f"http://{name}:{port}" for name in ("127.0.0.1", "localhost"))
    return {
        SERVER: auth,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origins,
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
    }


def write_profile(path: Path, api: str, auth: str) -> None:
    """Write a file for ``PREFECT_PROFILES_PATH``, with which ``prefect`` in a shell uses the server at *api*.

    Raises:
        OSError: it cannot be written.
    """
    settings = {"PREFECT_API_URL": api, CLIENT: auth}
    lines = [f"{name} = {_quoted(value)}" for name, value in settings.items()]
    write_private(path, "\n".join(['active = "hnintel"', "", "[profiles.hnintel]", *lines, ""]))


def _quoted(value: str) -> str:
    """Return a TOML string: JSON's, with what TOML alone escapes."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def private_folder(folder: Path) -> None:
    """Make *folder*, and close it to other users.

    Raises:
        OSError: it cannot be created.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):  # a file system without modes, or another user's folder
        folder.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically.

    Raises:
        OSError: it cannot be written.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600, whatever the umask
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:  # an interrupt too must not leave the unfinished file behind
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> str:
    """Return the content of the file, made private to its owner; empty if there is no file."""
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""

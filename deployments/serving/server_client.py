"""Plain requests to a Prefect server of ours: with its authentication string, and a CSRF token where it wants that."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

#: What a server answers at the address of its tokens where it wants none.
_NO_CSRF = 422


@contextmanager
def server_client(api: str, auth: str) -> Iterator[httpx.Client]:
    """A client whose requests the server takes, for reading and for changing.

    Args:
        api: the server's, ``http://.../api``.
        auth: its authentication string.

    Raises:
        httpx.HTTPError: the server does not answer, or refuses the string.
    """
    credentials = base64.b64encode(auth.encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    with httpx.Client(base_url=api, headers=headers, timeout=30, trust_env=False) as client:
        name = str(uuid.uuid4())
        answer = client.get("/csrf-token", params={"client": name})
        if answer.status_code != _NO_CSRF:
            token = answer.raise_for_status().json()["token"]
            client.headers.update({"Prefect-Csrf-Client": name, "Prefect-Csrf-Token": token})
        yield client

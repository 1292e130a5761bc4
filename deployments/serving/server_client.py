"""Plain requests to our Prefect server, with its authentication string, and a CSRF token where it needs one."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

#: The status of a server's token endpoint where it needs no tokens.
_NO_CSRF = 422


@contextmanager
def server_client(api: str, auth: str) -> Iterator[httpx.Client]:
    """Yield a client whose requests the server accepts, for reading and for changing.

    Args:
        api: the URL of the server's API, ``http://.../api``.
        auth: the server's authentication string.

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

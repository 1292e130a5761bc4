"""What we need of the openai package that its public interface lacks."""

from __future__ import annotations

from typing import Any

import openai


def client_of_its_arguments(**arguments: Any) -> openai.AsyncOpenAI:
    """A client that takes nothing from ``OPENAI_*`` in the environment, which may be meant for another endpoint.

    Two names are not public: ``_enforce_credentials``, without which a client needs a key though the endpoint may not,
    and ``_custom_headers``, which holds the headers of ``OPENAI_CUSTOM_HEADERS``.

    Args:
        arguments: of :class:`openai.AsyncOpenAI`; ``api_key`` and ``base_url`` at least, either of which may be empty.
    """
    client = openai.AsyncOpenAI(**arguments, _enforce_credentials=False)
    client.organization = client.project = client.admin_api_key = None
    client._custom_headers = {}
    return client

"""Uses of private names of the openai package, whose public interface lacks what the engine needs."""

from __future__ import annotations

from typing import Any

import openai


def client_of_its_arguments(**arguments: Any) -> openai.AsyncOpenAI:
    """Return a client that ignores ``OPENAI_*`` in the environment, which may be meant for another endpoint.

    Two names are private: ``_enforce_credentials``, since a client otherwise needs a key that an endpoint may not need,
    and ``_custom_headers``, which has the headers of ``OPENAI_CUSTOM_HEADERS``.

    Args:
        arguments: of :class:`openai.AsyncOpenAI`; ``api_key`` and ``base_url`` at least, either of which may be empty.
    """
    client = openai.AsyncOpenAI(**arguments, _enforce_credentials=False)
    client.organization = client.project = client.admin_api_key = None
    client._custom_headers = {}
    return client

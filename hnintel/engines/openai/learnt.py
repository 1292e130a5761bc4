"""What refusals have taught about an endpoint: the response format, the parameters and the bound that it takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from hnintel.engines.openai import faults, structured
from hnintel.errors import WarehouseError

LIMIT_NAMES = ("max_tokens", "max_completion_tokens")
#: Hosts whose newer models take max_completion_tokens only.
_NEWER = ("api.openai.com", "openai.azure.com")
_NUMBER = re.compile(r"\d{2,7}")


class Learnt:
    """The form of requests to one endpoint. Threads may share it: at worst one learns the same again.

    Args:
        base_url: the endpoint.
        limit_name: ``max_tokens``, ``max_completion_tokens`` or ``auto``.
        thinking: tokens that are added to the bound of each answer.
    """

    def __init__(self, base_url: str, limit_name: str, thinking: int) -> None:
        self._base_url, self._thinking = base_url, thinking
        host = urlsplit(base_url).hostname or ""
        newer = any(host == known or host.endswith("." + known) for known in _NEWER)
        self._names = (
            [limit_name] if limit_name in LIMIT_NAMES else list(reversed(LIMIT_NAMES) if newer else LIMIT_NAMES)
        )
        self._mode = 0
        self._unknown: frozenset[str] = frozenset()
        self._largest: int | None = None

    def request(self, parameters: Mapping[str, Any], limit: int, schema: Mapping[str, Any] | None) -> dict[str, Any]:
        """The parameters to send, with the bound on the answer under the endpoint's name for it."""
        sent = {name: value for name, value in parameters.items() if name not in self._unknown}
        bound = limit + self._thinking
        sent[self._names[0]] = bound if self._largest is None else min(bound, self._largest)
        response_format = structured.response_format(structured.MODES[self._mode], schema) if schema is not None else {}
        return {**sent, **response_format}

    def bound_of(self, sent: Mapping[str, Any]) -> int:
        """The bound in a request that was made here."""
        return next(int(sent[name]) for name in LIMIT_NAMES if name in sent)

    def learn(self, sent: Mapping[str, Any], body: str) -> bool:
        """Learn from a refusal; whether the request is to be sent again in another form.

        Args:
            sent: the parameters of the refused request.
            body: the endpoint's answer, in lower case.

        Raises:
            WarehouseError: the endpoint takes no bound on its answers.
        """
        complaints = faults.named(body) & set(sent)
        if not complaints:
            return False
        limits = complaints & set(LIMIT_NAMES)
        if limits:
            self._learn_limit(sent, body)
        if "response_format" in complaints and sent.get("response_format"):
            # Two threads may learn this at once: the form that was sent decides, not the one that is sent by now.
            self._mode = max(self._mode, structured.MODES.index(sent["response_format"]["type"]) + 1)
        self._unknown |= complaints - {"response_format"} - limits
        return True

    def _learn_limit(self, sent: Mapping[str, Any], body: str) -> None:
        bound, name = self.bound_of(sent), next(name for name in LIMIT_NAMES if name in sent)
        smaller = [int(number) for number in _NUMBER.findall(body) if int(number) < bound]
        if str(bound) in body and smaller:  # it names the value: "5000 is too large, at most 4096"
            self._largest = max(smaller)
        elif self._names[0] == name:
            if len(self._names) == 1:
                raise WarehouseError(
                    f"{self._base_url} refuses {name}, so that no answer would be bounded: set "
                    "HNINTEL_OPENAI_LIMIT_NAME to the name that it takes"
                )
            self._names.pop(0)

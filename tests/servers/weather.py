"""Bad weather: which request meets which fault. Decided by a seed and the request, never by the clock or its order."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

#: What can befall a request. The text after each is what the server does.
FAULTS: dict[str, str] = {
    "drop": "closes the connection without an answer",
    "hang": "never answers, until whoever asked has gone",
    "slow": "sends the answer a byte at a time, one every 50 ms",
    "429": "too many requests, with Retry-After",
    "500": "internal server error",
    "503": "service unavailable, with Retry-After",
    "truncated": "declares the whole answer and closes after half of it",
    "malformed": "answers 200 with half of the body and a stray character, as if that were all",
    "wrong_length": "declares fewer bytes than it sends",
    "endless": "a body without an end",
    "bomb": "a small gzip body that unpacks to 200 MB",
    "redirect_loop": "redirects to itself",
    "redirect_private": "redirects to a private address",
}


@dataclass
class Weather:
    """Faults for requests.

    Args:
        rates: the share of requests that meet each fault; each try at a URL is drawn anew.
        always: faults by a part of the URL (``/item/17.json``, ``host.example/page``): every request for it meets it.
        first: the same, but only for so many first requests: ``{"/item/17.json": ("503", 2)}``.
        latency: seconds before every answer.
        retry_after: what 429 and 503 say, in seconds; None leaves the header out.
        seed: the same seed gives the same faults for the same requests.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    always: Mapping[str, str] = field(default_factory=dict)
    first: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    latency: float = 0.0
    retry_after: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        named = {*self.rates, *self.always.values(), *(fault for fault, _ in self.first.values())}
        if unknown := named - FAULTS.keys():
            raise ValueError(f"no such weather: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
        self._tries: Counter[str] = Counter()
        self.may_hang = bool(named & {"hang", "slow"})

    def fault(self, url: str) -> str | None:
        """What this request for *url* (host and path) meets; None: nothing."""
        self._tries[url] += 1
        for part, fault in self.always.items():
            if part in url:
                return fault
        for part, (fault, times) in self.first.items():
            if part in url and self._tries[url] <= times:
                return fault
        return self._drawn(url)

    def _drawn(self, url: str) -> str | None:
        told = f"{self.seed} {url} {self._tries[url]}".encode()
        place = int.from_bytes(hashlib.sha256(told).digest()[:8]) / 2**64
        for fault, rate in self.rates.items():
            if place < rate:
                return fault
            place -= rate
        return None

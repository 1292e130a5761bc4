"""How far the listing of a day is proven to be complete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

ProofKind = Literal["unproven", "sampled", "whole"]
#: The kinds, the weakest first.
KINDS: tuple[str, ...] = get_args(ProofKind)


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof of one listing.

    ``whole``: the range of ids of the day was read, or the source is a dump that has no other stories.
    ``sampled``: ``looked_for`` live stories, spread over the day, were looked for in the listing, and all were found.
    ``unproven``: only one interface answered, or the listing has too few stories to be believed.
    ``reason``: in one line, why the proof is what it is; may be empty.
    """

    kind: ProofKind
    looked_for: int = 0
    reason: str = ""

    @property
    def most_missing(self) -> float:
        """The largest share of the day's live stories that may be missing, at 95 %.

        Of k stories none was missing: with a share p missing, that has the probability (1 - p)^k, which is below
        0.05 where p is above 3/k.
        """
        if self.kind == "whole":
            return 0.0
        return min(1.0, 3 / self.looked_for) if self.kind == "sampled" and self.looked_for else 1.0

    def in_words(self) -> str:
        """The proof as a line: ``sampled: 60 of 60 stories found, at most 5 % are missing (95 %)``."""
        if self.kind == "sampled":
            found = f"sampled: {self.looked_for} of {self.looked_for} stories found"
            return f"{found}, at most {self.most_missing:.0%} are missing (95 %)"
        return f"{self.kind}: {self.reason}" if self.reason else self.kind

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON; ``most_missing`` is a share, 0 to 1."""
        return {
            "proof": self.kind,
            "looked_for": self.looked_for,
            "most_missing": round(self.most_missing, 4),
            "reason": self.reason,
        }


UNPROVEN = Proof("unproven")


def weakest(proofs: Iterable[Proof]) -> Proof:
    """The weakest of *proofs*, which is the proof of their listings together; unproven if there is none."""
    return min(proofs, key=lambda proof: (KINDS.index(proof.kind), proof.looked_for), default=UNPROVEN)

"""What an answer costs, in credits."""

from __future__ import annotations

from hnintel.errors import WarehouseError

#: Models that run here and are paid for with nothing but electricity.
FREE_PREFIX = "offline-"


def credits(model: str, input_tokens: int, output_tokens: int) -> float:
    """Credits for so many tokens of *model*.

    Raises:
        WarehouseError: its price is not known; an unknown price is not taken for none.
    """
    if model.startswith(FREE_PREFIX):
        return 0.0
    raise WarehouseError(f"no price is known for the model '{model}': {input_tokens + output_tokens} tokens uncounted")

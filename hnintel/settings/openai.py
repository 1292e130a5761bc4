"""The settings of the engine ``openai``: the endpoint, its model, its price, and how it is asked."""

from __future__ import annotations

import math
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from hnintel.settings.http_url import is_http_url


class OpenAISettings(BaseSettings):
    """Read with the prefix of :class:`hnintel.settings.Settings`."""

    openai_base_url: str = Field(
        "https://api.openai.com/v1", description="The OpenAI-compatible endpoint of the engine openai."
    )
    openai_api_key: SecretStr | None = Field(
        None, description="The endpoint's key, if it needs one; OPENAI_API_KEY is not read."
    )
    openai_model: str | None = Field(None, description="The endpoint's model, which answers every question.")
    openai_price: str | None = Field(
        None,
        description="What the model costs: 0, or per million tokens of input and output with a currency, 0.15,0.6,USD.",
    )
    openai_timeout: float = Field(
        120.0, gt=0, le=3_600, description="Seconds that an answer of the endpoint may take in all."
    )
    openai_attempts: int = Field(4, ge=1, le=20, description="The most attempts for a question to the endpoint.")
    openai_concurrency: int = Field(8, ge=1, le=500, description="The most concurrent questions to the endpoint.")
    openai_limit_name: Literal["auto", "max_tokens", "max_completion_tokens"] = Field(
        "auto", description="How a request names the bound on its answer; auto goes by the endpoint, and by a refusal."
    )
    openai_thinking_tokens: int = Field(
        0, ge=0, le=131_072, description="Tokens that a model may think before each answer, beyond those of the answer."
    )
    openai_prompt_tokens: int = Field(
        6_000, ge=200, le=1_000_000, description="About how many tokens of texts AI_AGG puts into one prompt."
    )

    @field_validator("openai_base_url")
    @classmethod
    def _is_a_base_url(cls, value: str) -> str:
        parts = urlsplit(value.strip()) if is_http_url(value.strip()) else None
        if parts is None or parts.query or parts.fragment:
            raise ValueError("give a URL without a query, such as http://127.0.0.1:11434/v1")
        if "@" in parts.netloc:  # it would appear in messages and logs
            raise ValueError("the URL has a user or a password; put the key into HNINTEL_OPENAI_API_KEY")
        return value.strip().rstrip("/")

    @field_validator("openai_api_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value().strip() if value else ""  # a key from a file ends in a newline
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("an HTTP header takes printable ASCII without blanks")
        return SecretStr(key) if key else None

    @field_validator("openai_price")
    @classmethod
    def _is_a_price(cls, value: str | None) -> str | None:
        if value is not None:
            parse_price(value)
        return value


def parse_price(value: str) -> tuple[float, float, str]:
    """The price per million tokens of input and of output, and its currency.

    Raises:
        ValueError: the text is no price.
    """
    read, *more = [part.strip() for part in value.split(",")]
    try:
        amounts = [float(read), float(more[0]) if more else 0.0]
    except ValueError:
        amounts = [-1.0]
    is_whole = bool(more) or amounts[0] == 0
    if len(more) > 2 or not is_whole or not all(math.isfinite(amount) and amount >= 0 for amount in amounts):
        raise ValueError("give 0, or the prices of a million tokens of input and output: 0.15,0.6 or 0.15,0.6,USD")
    return amounts[0], amounts[1], more[1] if len(more) > 1 and more[1] else "USD"

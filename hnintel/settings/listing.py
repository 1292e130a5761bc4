"""The settings of how far the listing of a day is proven."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class ListingSettings(BaseSettings):
    """Read with the prefix of :class:`hnintel.settings.Settings`."""

    listing_sample: int = Field(
        60,
        ge=0,
        le=10_000,
        description="How many live stories are looked for in a day's listing; 0 leaves listings unproven.",
    )
    listing_whole: bool = Field(
        True, description="Whether every id of a day is read once the day has been over for a day (D+1)."
    )
    listing_min_share: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="The share of a weekday's usual stories below which a live day is refused as nearly empty.",
    )

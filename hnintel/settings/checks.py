"""The settings of the data checks."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class CheckSettings(BaseSettings):
    """Read with the prefix of :class:`hnintel.settings.Settings`."""

    check_blocks: bool = Field(
        True, description="Whether a failing blocking check stops the run; otherwise it is a warning."
    )
    check_baseline_days: int = Field(
        28, ge=21, le=3_650, description="How many earlier days a day is compared with; at least three weeks."
    )
    check_min_days: int = Field(7, ge=2, le=3_650, description="The least earlier days for a comparison of labels.")
    check_min_rows: int = Field(30, ge=1, description="The least rows, on the day and usually, for a comparison.")
    check_count_factor: float = Field(
        1.5,
        gt=1,
        le=1_000,
        description="The factor above or below the usual number of items on the weekday that is a warning.",
    )
    check_drift: float = Field(
        0.2, gt=0, le=1, description="The share of labels that may change from the earlier days, beyond chance."
    )
    check_bill: float = Field(
        0.2, gt=0, description="The allowed difference of the bill from the estimate, as a share of the estimate."
    )
    check_null_share: float = Field(0.05, ge=0, lt=1, description="The allowed share of NULLs in a column on a day.")
    check_lost_share: float = Field(
        0.05, ge=0, lt=1, description="The share of a day that may be in the dead letters without a warning."
    )

"""Every setting: name, type, default, description. Only this package reads the environment.

Our variables are ``HNINTEL_*``; the Snowflake login is read from ``SNOWFLAKE_*`` (``hnintel.settings.snowflake``).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from hnintel.errors import UsageError, first_line
from hnintel.settings.checks import CheckSettings
from hnintel.settings.listing import ListingSettings
from hnintel.settings.openai import OpenAISettings
from hnintel.settings.snowflake import SnowflakeSettings

PREFIX = "HNINTEL_"
ROOT = Path(__file__).resolve().parent.parent.parent
#: Settings whose value may contain a secret and is never shown, besides every SecretStr.
_SECRET_FIELDS = ("openai_base_url",)
#: Variables that a Python process may need and that contain no secret, besides every ``LC_*``.
_ALLOWED_VARIABLES = frozenset(
    "PATH HOME LANG LANGUAGE TZ TMPDIR LD_LIBRARY_PATH SYSTEMROOT "
    "PYTHONHOME PYTHONPATH PYTHONUSERBASE PYTHONPYCACHEPREFIX PYTHONDONTWRITEBYTECODE PYTHONUTF8".split()
)


def _default_home() -> Path:
    """``.hnintel`` in the checkout, whatever the working directory; without a checkout in the working directory."""
    return (ROOT if (ROOT / "pyproject.toml").is_file() else Path.cwd()) / ".hnintel"


class Settings(CheckSettings, ListingSettings, OpenAISettings, SnowflakeSettings):
    """All settings; ``variable`` names the environment variable of each."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # compose and CI pass unset variables as empty ones
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
    )

    # Where and when
    home: Path = Field(default_factory=_default_home, description="The folder below which everything is written.")
    site_readable: bool = Field(
        False, description="Whether other users of the machine may read the site, and nothing else."
    )
    time_zone: str = Field("America/New_York", description="The zone whose calendar days are the partitions.")
    owner: str = Field("data-team", min_length=1, description="The owner of the tables, shown with each Prefect asset.")
    first_day: date = Field(date(2006, 10, 9), description="The first day that may be run; earlier days are refused.")

    # Reading Hacker News
    source: str = Field("live", description="The source to read: live, sample or replay:PATH.")
    firebase_url: str = Field("https://hacker-news.firebaseio.com/v0", description="The URL where items are read.")
    algolia_url: str = Field("https://hn.algolia.com/api/v1", description="The URL where a day's stories are listed.")
    chunk_size: int = Field(50, ge=1, le=1000, description="How many items one scraping task reads.")
    item_concurrency: int = Field(40, ge=1, le=200, description="How many items a task requests at once.")
    item_timeout: float = Field(
        15.0, gt=0, le=3_600, description="Seconds that an answer of Hacker News may take in all."
    )
    item_attempts: int = Field(4, ge=1, le=20, description="The most attempts for an item or a listing in a run.")
    comments_min_score: int = Field(20, ge=0, description="Comments are read below stories of at least this score.")
    comments_depth: int = Field(4, ge=0, le=1_000, description="How many levels of comments are read; 0 reads none.")
    comments_per_story: int = Field(100, ge=0, le=100_000, description="The most comments read below a story.")
    task_runner: Literal["threads", "dask"] = Field(
        "threads", description="Where a flow's tasks run: threads of a process, or a Dask cluster."
    )
    task_threads: int = Field(4, ge=1, le=64, description="How many tasks of a flow run at once on threads.")
    dask_address: str | None = Field(
        None, description="The scheduler of a Dask cluster; by default a local cluster of processes is started."
    )
    dask_workers: int = Field(2, ge=1, le=256, description="How many processes a local Dask cluster has.")
    cache_hours: float = Field(
        6.0, ge=0, le=876_000, description="Hours that readings are reused from Prefect's cache; 0 turns it off."
    )
    cache_days: float = Field(
        30.0, ge=0, le=100_000, description="Days after which `retention` deletes Prefect's result files."
    )
    raw_text_days: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Days after its day when `retention` deletes raw text; by default never.",
    )
    settle_days: tuple[Annotated[int, Field(ge=1, le=3650)], ...] = Field(
        (1, 7), description="A day is read again this many days after its end, while it still changes."
    )
    fresh_hours: float = Field(
        30.0,
        gt=0,
        le=876_000,
        description="Hours after the end of the newest whole day during which its page is fresh.",
    )
    catch_up_days: int = Field(
        7, ge=0, le=3_650, description="How many days back `reconcile` fills gaps and retries failed stages."
    )
    letter_attempts: int = Field(
        8, ge=1, le=100, description="The most automatic retries of a dead letter; more need a person."
    )
    letter_retry_hours: float = Field(1.0, ge=0, le=876_000, description="Hours until a dead letter is due again.")

    # Reading articles
    user_agent: str = Field(
        "hn-intelligence/0.1 (+https://github.com/hn-intelligence; set HNINTEL_USER_AGENT to your contact)",
        description="The User-Agent of requests; include your contact.",
    )
    article_connect_timeout: float = Field(5.0, gt=0, le=3_600, description="Seconds to connect to a site.")
    article_read_timeout: float = Field(
        10.0, gt=0, le=3_600, description="Seconds to wait for the next piece of an answer."
    )
    article_total_timeout: float = Field(20.0, gt=0, le=3_600, description="Seconds that an article may take in all.")
    article_max_bytes: int = Field(
        5_000_000, ge=1000, le=1_000_000_000, description="Decoded bytes after which a page is too large."
    )
    article_concurrency: int = Field(40, ge=1, le=200, description="How many articles a task reads at once.")
    article_per_host: int = Field(2, ge=1, description="The most concurrent requests to a host.")
    article_host_delay: float = Field(
        0.5, ge=0, le=3_600, description="Seconds between the starts of two requests to a host."
    )
    article_host_wait: float = Field(
        120.0,
        ge=0,
        le=86_400,
        description="The most seconds that a run pauses at a host; the remaining articles are due again later.",
    )
    article_robots: bool = Field(True, description="Whether robots.txt is read and obeyed.")
    article_attempts: int = Field(6, ge=1, le=100, description="The most attempts for a failing article.")
    article_retry_hours: float = Field(
        1.0,
        ge=0,
        le=8_760,
        description="Hours until a failed article is tried again; each further wait is three times as long.",
    )
    article_refresh_days: int = Field(
        30,
        ge=0,
        le=100_000,
        description="An article posted again this many days after its reading is read again; 0 disables this.",
    )
    article_workers: int = Field(2, ge=1, le=64, description="Processes that extract the text of pages.")
    article_extract_timeout: float = Field(
        15.0, gt=0, le=3_600, description="Seconds that extracting a page's text may take."
    )
    article_max_chars: int = Field(
        200_000, ge=1000, le=100_000_000, description="The most characters stored of an article's text."
    )
    allowed_ports: tuple[int, ...] = Field((80, 443, 8080, 8443), description="Ports that articles are read from.")
    allowed_private_hosts: tuple[str, ...] = Field(
        (), description="host:port pairs that may be read although their address is private; none by default."
    )
    max_redirects: int = Field(5, ge=0, le=100, description="How many redirects of an article are followed.")

    # Warehouse and AI
    warehouse: Literal["duckdb", "snowflake"] = Field("duckdb", description="The warehouse of data and AI functions.")
    duckdb_path: Path | None = Field(None, description="The DuckDB file; by default below the home folder.")
    lock_wait: float = Field(60.0, ge=0, le=86_400, description="Seconds to wait for a lock of another process.")
    lease_seconds: float = Field(
        120.0, ge=1, le=86_400, description="Seconds after which another run may take over the stage of a dead run."
    )
    engine: Literal["offline", "openai"] = Field("offline", description="What answers the embedded AI_* functions.")
    enrichments_path: Path | None = Field(None, description="A folder of enrichments in place of the bundled ones.")
    stages_path: Path | None = Field(None, description="A folder of further stages, one file each.")
    enrich_chunk: int = Field(200, ge=1, le=100_000, description="How many items are asked about before a commit.")
    enrich_concurrency: int = Field(4, ge=1, le=16, description="How many enrichments run in parallel.")
    input_max_chars: int = Field(
        8_000, ge=200, le=1_000_000, description="The most characters of a story that a model reads."
    )
    discussion_max_chars: int = Field(
        40_000,
        ge=200,
        le=10_000_000,
        description="The most characters of all comments of a story that a model reads.",
    )
    answer_attempts: int = Field(3, ge=1, le=100, description="The most attempts for an item whose answers are bad.")
    answer_reuse_days: int = Field(
        90,
        ge=0,
        le=36_500,
        description="Days before and after a day from which answers to the same text are reused.",
    )
    answer_retry_minutes: float = Field(
        60.0, ge=0, le=52_560_000, description="Minutes until an item with a bad answer is asked about again."
    )
    bad_answer_share: float = Field(0.5, gt=0, le=1, description="The share of bad answers in a run that stops it.")
    bad_answer_floor: int = Field(20, ge=1, description="Bad answers are never too many below this number.")
    prices_path: Path | None = Field(None, description="A TOML file of prices that override the bundled ones.")
    budget_run: float | None = Field(
        None, ge=0, description="What one run may spend, in the price's currency; no limit by default."
    )
    budget_day: float | None = Field(
        None, ge=0, description="What a calendar day's runs may spend, in the price's currency."
    )
    budget_month: float | None = Field(
        None, ge=0, description="What a calendar month's runs may spend, in the price's currency."
    )
    approve_above: float | None = Field(
        None,
        ge=0,
        description="Cost in a currency above which a backfill waits for approval; by default never.",
    )
    approve_minutes: float = Field(
        1_440.0, gt=0, le=43_200, description="Minutes that a backfill waits for approval before it stops."
    )

    # Watching
    watch_stories: int = Field(60, ge=1, le=100, description="How many stories of the front page a poll reads.")
    watch_hours: float = Field(
        24.0, gt=0, le=168, description="Hours after which a story is no longer announced as trending."
    )
    watch_min_score: int = Field(100, ge=1, description="The least points of a story announced as trending.")
    watch_points_per_hour: float = Field(
        60.0, gt=0, description="The least points per hour of a story announced as trending."
    )
    watch_dumps: Path | None = Field(
        None, description="A folder for dumps of items; the days of a new dump are requested."
    )

    # Prefect
    prefect_keep_days: int = Field(
        30, ge=1, le=3_650, description="Days after which records of finished runs are deleted from Prefect's database."
    )

    @field_validator("user_agent")
    @classmethod
    def _fits_a_header(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable() or not value.strip():
            raise ValueError("an HTTP header takes printable ASCII only")
        return value

    @field_validator("home", "duckdb_path", "enrichments_path", "stages_path", "prices_path", "watch_dumps")
    @classmethod
    def _home_exists(cls, value: Path | None) -> Path | None:
        try:
            return value.expanduser() if value else value
        except RuntimeError:
            raise ValueError("the home folder of ~ is unknown: no such user") from None

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone is named {value!r}; use a name such as America/New_York") from None
        return value

    @cached_property
    def warehouse_file(self) -> Path:
        """The DuckDB file, absolute."""
        return (self.duckdb_path or self.folder / "hnintel.duckdb").absolute()

    @cached_property
    def folder(self) -> Path:
        """The home folder, absolute."""
        return self.home.absolute()

    @property
    def site(self) -> Path:
        """The folder of the pages."""
        return self.folder / "site"

    @property
    def logs(self) -> Path:
        """The folder of the runs' JSON logs."""
        return self.folder / "logs"


#: Replaces settings by those of a Prefect block; set by ``use_blocks``.
_read_block: Callable[[Settings], Settings] | None = None


def use_blocks(read: Callable[[Settings], Settings]) -> None:
    """Set the function with which ``load_settings`` resolves ``snowflake_block``; called by the Prefect side."""
    global _read_block
    _read_block = read


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return str(Settings.model_fields[name].validation_alias or PREFIX + name.upper())


def load_settings(**overrides: object) -> Settings:
    """The settings of this process: *overrides*, else the environment, else the defaults.

    Raises:
        UsageError: a value is invalid, an ``HNINTEL_*`` variable is unknown (a typing mistake that would otherwise be
            ignored), or the Prefect block cannot be read.
    """
    _refuse_unknown(os.environ)
    try:
        # pydantic checks the value of each override.
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise UsageError(_message(error)) from None
    except (ValueError, RecursionError) as error:  # pydantic-settings: a list that is not JSON
        reason = first_line(error, 200)
        raise UsageError(f"a setting cannot be read, write lists as JSON, [1, 7]: {reason}") from None
    needs_block = settings.warehouse == "snowflake" and settings.snowflake_block
    return _read_block(settings) if needs_block and _read_block else settings


def environment_without_secrets() -> dict[str, str]:
    """The environment of a process that reads untrusted data: allowed variables only, no settings, no secrets."""
    return {name: value for name, value in os.environ.items() if name in _ALLOWED_VARIABLES or name.startswith("LC_")}


def _message(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    field = next((known for known in Settings.model_fields if name in (known, variable(known))), name)
    given = "..." if is_secret(field) else str(first["input"])
    return f"{variable(field)}={given}: {first['msg'].removeprefix('Value error, ')}"


def is_secret(field: str) -> bool:
    """Whether the value of a setting may hold a secret, so that no message shows it."""
    return field in _SECRET_FIELDS or "SecretStr" in str(Settings.model_fields[field].annotation)


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {variable(name) for name in Settings.model_fields} | {PREFIX + "TEST_DATA"}
    # HNINTEL_DBT_* are passed to dbt's profile by the pipeline and are not settings.
    for name in environ:
        if name.startswith(PREFIX) and name not in known and not name.startswith(PREFIX + "DBT_"):
            # Compared without the common prefix, which would make all names similar.
            bare = {setting.removeprefix(PREFIX): setting for setting in known}
            close = [bare[setting] for setting in difflib.get_close_matches(name.removeprefix(PREFIX), bare, 1)]
            hint = f"did you mean {close[0]}?" if close else "python -m hnintel settings lists all settings"
            raise UsageError(f"{name} is not a setting: {hint}")

"""Every setting: name, type, default, one sentence. The only reader of the environment.

Ours are ``HNINTEL_*``; who logs in to Snowflake is read from ``SNOWFLAKE_*`` (``hnintel.settings.snowflake``).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from hnintel.errors import UsageError, first_line
from hnintel.settings.http_url import is_http_url
from hnintel.settings.snowflake import SnowflakeSettings

PREFIX = "HNINTEL_"
ROOT = Path(__file__).resolve().parent.parent.parent
#: Settings whose value may hold a secret, and is in no message; beside all that are kept as a SecretStr.
_NEVER_TOLD = ("openai_base_url",)
#: Variables that a Python process may need and that hold no secret, beside every ``LC_*``.
_FREE_OF_SECRETS = frozenset(
    "PATH HOME LANG LANGUAGE TZ TMPDIR LD_LIBRARY_PATH SYSTEMROOT "
    "PYTHONHOME PYTHONPATH PYTHONUSERBASE PYTHONPYCACHEPREFIX PYTHONDONTWRITEBYTECODE PYTHONUTF8".split()
)


def _default_home() -> Path:
    """``.hnintel`` beside the code in a checkout, so that it is the same from any directory; else in this one."""
    return (ROOT if (ROOT / "pyproject.toml").is_file() else Path.cwd()) / ".hnintel"


class Settings(SnowflakeSettings):
    """What can be set, each by the environment variable that ``variable`` names."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # HNINTEL_HOME= is no folder; compose and CI hand on what is not set as nothing
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
    )

    # Where and when
    home: Path = Field(default_factory=_default_home, description="The one folder that everything is written below.")
    site_readable: bool = Field(False, description="Whether other users of the machine may read the site; only it.")
    time_zone: str = Field("America/New_York", description="The zone whose calendar days are the partitions.")
    owner: str = Field("data-team", min_length=1, description="Who owns the tables; told with each asset of Prefect's.")
    first_day: date = Field(date(2006, 10, 9), description="The first day ever wanted; earlier ones are refused.")

    # Reading Hacker News
    source: str = Field("live", description="Where to read from: live, sample or replay:PATH.")
    firebase_url: str = Field("https://hacker-news.firebaseio.com/v0", description="Where items are read.")
    algolia_url: str = Field("https://hn.algolia.com/api/v1", description="Where the stories of a day are listed.")
    chunk_size: int = Field(50, ge=1, le=1000, description="How many items one scraping task reads.")
    item_concurrency: int = Field(40, ge=1, le=200, description="How many items one task asks for at once.")
    item_timeout: float = Field(
        15.0, gt=0, le=3_600, description="Seconds one answer of Hacker News may take, start to end."
    )
    item_attempts: int = Field(4, ge=1, le=20, description="How often one item, or listing, is asked for in a run.")
    comments_min_score: int = Field(20, ge=0, description="Comments are read below stories of at least this score.")
    comments_depth: int = Field(4, ge=0, le=1_000, description="How many levels of answers are read; 0 reads none.")
    comments_per_story: int = Field(
        100, ge=0, le=100_000, description="At most this many comments are read below one story."
    )
    task_runner: Literal["threads", "dask"] = Field(
        "threads", description="What reads a day: threads of one process, or a Dask cluster."
    )
    task_threads: int = Field(4, ge=1, le=64, description="How many tasks of a flow run at once on threads.")
    dask_address: str | None = Field(
        None, description="The scheduler of a Dask cluster; without one, processes of this machine are."
    )
    dask_workers: int = Field(2, ge=1, le=256, description="How many processes those are.")
    cache_hours: float = Field(
        6.0, ge=0, le=876_000, description="How long a read is taken from Prefect's cache; 0 turns it off."
    )
    cache_days: float = Field(
        30.0, ge=0, le=100_000, description="Days that Prefect's result files are kept before `retention`."
    )
    raw_text_days: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Days that raw text is kept after its day, before `retention`; by default for good.",
    )
    settle_days: tuple[Annotated[int, Field(ge=1, le=3650)], ...] = Field(
        (1, 7), description="A day is read again this many days after it is over, while it still moves."
    )
    fresh_hours: float = Field(
        30.0, gt=0, le=876_000, description="Hours after the end of the newest whole day that its page is still fresh."
    )
    catch_up_days: int = Field(
        7, ge=0, le=3_650, description="How many days back `reconcile` fills gaps and runs what failed again."
    )
    letter_attempts: int = Field(
        8, ge=1, le=100, description="How often a dead letter is tried before a person has to ask."
    )
    letter_retry_hours: float = Field(1.0, ge=0, le=876_000, description="Hours until a dead letter is due again.")

    # Reading articles
    user_agent: str = Field(
        "hn-intelligence/0.1 (+https://github.com/hn-intelligence; set HNINTEL_USER_AGENT to your contact)",
        description="What the fetcher says it is; put a contact in it.",
    )
    article_connect_timeout: float = Field(5.0, gt=0, le=3_600, description="Seconds to connect to a site.")
    article_read_timeout: float = Field(10.0, gt=0, le=3_600, description="Seconds between two pieces of an answer.")
    article_total_timeout: float = Field(20.0, gt=0, le=3_600, description="Seconds one article may take in all.")
    article_max_bytes: int = Field(
        5_000_000, ge=1000, le=1_000_000_000, description="Decoded bytes after which a page is too large."
    )
    article_concurrency: int = Field(40, ge=1, le=200, description="How many articles one task reads at once.")
    article_per_host: int = Field(2, ge=1, description="How many requests are under way to one host at once.")
    article_host_delay: float = Field(
        0.5, ge=0, le=3_600, description="Seconds between the starts of two requests to a host."
    )
    article_host_wait: float = Field(
        120.0,
        ge=0,
        le=86_400,
        description="Seconds that a run pauses at one host in all; the articles left are due again later.",
    )
    article_robots: bool = Field(True, description="Whether robots.txt is read and kept to.")
    article_attempts: int = Field(6, ge=1, le=100, description="How often a failing article is tried before giving up.")
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
        description="An article posted again so many days after it was read is read again; 0 never does.",
    )
    article_workers: int = Field(2, ge=1, le=64, description="Processes that take the text out of pages.")
    article_extract_timeout: float = Field(
        15.0, gt=0, le=3_600, description="Seconds that taking the text out may take."
    )
    article_max_chars: int = Field(
        200_000, ge=1000, le=100_000_000, description="Characters of an article's text that are kept."
    )
    allowed_ports: tuple[int, ...] = Field((80, 443, 8080, 8443), description="Ports that articles are read from.")
    allowed_private_hosts: tuple[str, ...] = Field(
        (), description="host:port pairs that may be read although their address is private; none by default."
    )
    max_redirects: int = Field(5, ge=0, le=100, description="How many redirects of an article are followed.")

    # Warehouse and AI
    warehouse: Literal["duckdb", "snowflake"] = Field("duckdb", description="Where data and AI live.")
    duckdb_path: Path | None = Field(None, description="The DuckDB file; by default below the home folder.")
    lock_wait: float = Field(60.0, ge=0, le=86_400, description="Seconds to wait for what another process holds.")
    lease_seconds: float = Field(
        120.0, ge=1, le=86_400, description="Seconds after which what a dead run was at is free for another."
    )
    engine: Literal["offline", "openai"] = Field("offline", description="What answers the embedded AI_* functions.")
    openai_base_url: str = Field(
        "https://api.openai.com/v1", description="The OpenAI-compatible endpoint that the engine openai asks."
    )
    openai_api_key: SecretStr | None = Field(
        None, description="The key of that endpoint, where it wants one; OPENAI_API_KEY is not read."
    )
    openai_model: str | None = Field(None, description="The model there that answers whatever is asked.")
    openai_timeout: float = Field(
        120.0, gt=0, le=3_600, description="Seconds one answer of the endpoint may take, start to end."
    )
    openai_attempts: int = Field(4, ge=1, le=20, description="How often one question is put to the endpoint at most.")
    openai_concurrency: int = Field(
        8, ge=1, le=500, description="How many questions are under way at the endpoint at once."
    )
    openai_prompt_tokens: int = Field(
        6_000, ge=200, le=1_000_000, description="About how many tokens of texts AI_AGG puts into one prompt."
    )
    enrichments_path: Path | None = Field(None, description="A folder of enrichments in place of the bundled ones.")
    stages_path: Path | None = Field(None, description="A folder of further stages, one file each.")
    enrich_chunk: int = Field(
        200, ge=1, le=100_000, description="How many items are asked about before it is committed."
    )
    enrich_concurrency: int = Field(4, ge=1, le=16, description="How many enrichments run side by side.")
    input_max_chars: int = Field(
        8_000, ge=200, le=1_000_000, description="Characters of a story that a model is given."
    )
    discussion_max_chars: int = Field(
        40_000,
        ge=200,
        le=10_000_000,
        description="Characters of a story's comments, all together, that a model is given.",
    )
    answer_attempts: int = Field(
        3, ge=1, le=100, description="How often an item is asked about while its answers are bad."
    )
    answer_reuse_days: int = Field(
        90,
        ge=0,
        le=36_500,
        description="Days before and after a day from which answers to the very same text are taken over.",
    )
    answer_retry_minutes: float = Field(
        60.0, ge=0, le=52_560_000, description="Minutes until a bad answer is asked for again."
    )
    bad_answer_share: float = Field(0.5, gt=0, le=1, description="The share of bad answers in a run that stops it.")
    bad_answer_floor: int = Field(20, ge=1, description="Bad answers are never too many below this number.")
    prices_path: Path | None = Field(None, description="A TOML file of your own prices, before the bundled ones.")
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
        description="Cost in one currency above which a backfill waits for a person's word; by default never.",
    )
    approve_minutes: float = Field(
        1_440.0, gt=0, le=43_200, description="Minutes that it waits; where nobody answers, it stops."
    )

    # Watching
    watch_stories: int = Field(60, ge=1, le=100, description="How many stories of the front page a poll looks at.")
    watch_hours: float = Field(24.0, gt=0, le=168, description="A story older than this is not told as trending.")
    watch_min_score: int = Field(100, ge=1, description="A story with fewer points is not told as trending.")
    watch_points_per_hour: float = Field(60.0, gt=0, description="A story that gathers points so fast is trending.")
    watch_dumps: Path | None = Field(
        None, description="A folder into which dumps of items are dropped; the days of a new one are asked for."
    )

    # Checks
    check_blocks: bool = Field(
        True, description="Whether a blocking check that fails stops the run; if not, it is told as a warning."
    )
    check_baseline_days: int = Field(
        28, ge=21, le=3_650, description="A day is compared with so many days before it; three weeks at the least."
    )
    check_min_days: int = Field(7, ge=2, le=3_650, description="Labels are compared with no fewer days than this.")
    check_min_rows: int = Field(
        30, ge=1, description="With fewer rows than this, on the day or usually, a comparison judges nothing."
    )
    check_count_factor: float = Field(
        1.5, gt=1, le=1_000, description="So many times more or fewer items than usual on its weekday are a warning."
    )
    check_drift: float = Field(
        0.2, gt=0, le=1, description="The share of labels that may move from the days before, beyond chance."
    )
    check_bill: float = Field(
        0.2, gt=0, description="How far what was billed may be from what was estimated, as a share of that."
    )
    check_null_share: float = Field(0.05, ge=0, lt=1, description="The share of NULLs that a column may have on a day.")
    check_lost_share: float = Field(
        0.05, ge=0, lt=1, description="The share of a day that may wait in the dead letters without a warning."
    )

    # Prefect
    prefect_keep_days: int = Field(
        30, ge=1, le=3_650, description="Days that Prefect's own database keeps the records of runs that are over."
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
            raise ValueError("there is no such user, whose home ~ would be") from None

    @field_validator("openai_base_url")
    @classmethod
    def _is_a_base_url(cls, value: str) -> str:
        parts = urlsplit(value.strip()) if is_http_url(value.strip()) else None
        if parts is None or parts.query or parts.fragment:
            raise ValueError("give a URL without a query, such as http://127.0.0.1:11434/v1")
        if "@" in parts.netloc:  # it would get into messages and logs
            raise ValueError("a URL with a user or a password; put the key into HNINTEL_OPENAI_API_KEY")
        return value.strip().rstrip("/")

    @field_validator("openai_api_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value().strip() if value else ""  # a key from a file ends in a newline
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("an HTTP header takes printable ASCII without blanks")
        return SecretStr(key) if key else None

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
        """Where the pages are."""
        return self.folder / "site"

    @property
    def logs(self) -> Path:
        """Where each run's JSON log is."""
        return self.folder / "logs"


#: Puts what a Prefect block says in place of the settings it stands for; ``use_blocks`` gives one that can.
_read_block: Callable[[Settings], Settings] | None = None


def use_blocks(read: Callable[[Settings], Settings]) -> None:
    """Have ``load_settings`` resolve ``snowflake_block`` by *read*: the package that knows Prefect calls this."""
    global _read_block
    _read_block = read


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return str(Settings.model_fields[name].validation_alias or PREFIX + name.upper())


def load_settings(**overrides: object) -> Settings:
    """The settings of this process: *overrides*, else the environment, else the defaults.

    Raises:
        UsageError: a value does not fit, or an ``HNINTEL_*`` variable is none that we know (a typing mistake that
            would otherwise pass in silence), or a Prefect block that is wanted cannot be read.
    """
    _refuse_unknown(os.environ)
    try:
        # pydantic checks the value of each override.
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise UsageError(_told(error)) from None
    except (ValueError, RecursionError) as error:  # pydantic-settings: a list that is not JSON
        told = first_line(error, 200)
        raise UsageError(f"a setting cannot be read, lists are written as JSON, [1, 7]: {told}") from None
    wanted = settings.warehouse == "snowflake" and settings.snowflake_block
    return _read_block(settings) if wanted and _read_block else settings


def environment_without_secrets() -> dict[str, str]:
    """The environment for a process that reads untrusted data: an allow-list, with no setting and no password."""
    return {name: value for name, value in os.environ.items() if name in _FREE_OF_SECRETS or name.startswith("LC_")}


def _told(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    field = next((one for one in Settings.model_fields if name in (one, variable(one))), name)
    given = "..." if _is_secret(field) else str(first["input"])
    return f"{variable(field)}={given}: {first['msg'].removeprefix('Value error, ')}"


def _is_secret(field: str) -> bool:
    return field in _NEVER_TOLD or "SecretStr" in str(Settings.model_fields[field].annotation)


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {variable(name) for name in Settings.model_fields} | {PREFIX + "TEST_DATA"}
    # Variables that our own child steps pass on (dbt's profile reads them) are not settings of a person.
    for name in environ:
        if name.startswith(PREFIX) and name not in known and not name.startswith(PREFIX + "DBT_"):
            # Without the prefix that all share, and that would make everything look alike.
            bare = {one.removeprefix(PREFIX): one for one in known}
            close = [bare[one] for one in difflib.get_close_matches(name.removeprefix(PREFIX), bare, 1)]
            hint = f"did you mean {close[0]}?" if close else "python -m hnintel settings lists those there are"
            raise UsageError(f"{name} is not a setting: {hint}")

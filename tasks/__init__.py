"""One hnintel call each, with Prefect's retries, caching, names and artifacts around it. No logic of its own."""

from hnintel.settings import Settings, use_blocks


def _read_block(settings: Settings) -> Settings:
    from tasks.snowflake_block import with_block  # loads Snowflake's connector: only where it is used

    return with_block(settings)


use_blocks(_read_block)

"""Prefect tasks: each calls hnintel once, with retries, caching, a name and artifacts. No logic of its own."""

from hnintel.settings import Settings, use_blocks


def _read_block(settings: Settings) -> Settings:
    from tasks.snowflake_block import with_block  # loads Snowflake's connector, so only where it is used

    return with_block(settings)


use_blocks(_read_block)

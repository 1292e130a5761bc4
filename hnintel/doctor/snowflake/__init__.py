"""The Snowflake account: what a run's roles, warehouses and models must be able to do, and what grants it."""

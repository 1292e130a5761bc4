"""Snowflake as the warehouse: its connection, its errors, its SQL. Cortex answers AI functions where the data is."""

"""The embedded warehouse: one DuckDB file, with the ``AI_*`` functions answered by an engine."""

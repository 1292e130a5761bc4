"""A question, what is pending of it, and its answers in ``enriched.*``."""

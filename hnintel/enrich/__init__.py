"""Enrichments: the declared question, the items that it is pending for, and the answers in ``enriched.*``."""

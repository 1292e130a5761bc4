"""Checks ``prefect.yaml`` and related files against the code."""

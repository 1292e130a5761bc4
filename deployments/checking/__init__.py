"""Holds ``prefect.yaml`` and its kin to the code."""

"""Loads items, comments and articles from a source into ``raw.*``."""

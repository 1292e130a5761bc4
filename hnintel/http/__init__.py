"""Shared by every HTTP client here: URLs, and bodies decoded within bounds."""

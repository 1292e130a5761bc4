"""Checks of what a run needs: they change nothing, and say how to fix what is missing."""

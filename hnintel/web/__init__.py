"""Fetches pages of the web within bounds (addresses, sizes, times, host limits) and extracts their text."""

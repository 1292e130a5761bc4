"""Invented days of Hacker News; nothing in here is real, and every host ends in .example (RFC 2606)."""

"""The daily briefing as a reader gets it: one self-contained HTML page a day, its Markdown, and the index of days."""

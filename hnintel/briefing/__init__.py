"""The daily briefing: what is asked over a whole day, and the page that shows it."""

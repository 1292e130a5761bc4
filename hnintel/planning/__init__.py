"""Plans: days that are due, the work of a day, a backfill."""

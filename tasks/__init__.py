"""One hnintel call each, with Prefect's retries, caching, names and artifacts around it. No logic of its own."""

"""When and in what order: Prefect flows. No SQL, no HTTP, no parsing."""

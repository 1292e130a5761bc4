"""Scripts and files around ``prefect deploy``: provisioning, checks, serving on one machine, platforms."""

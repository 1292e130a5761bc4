"""What must exist before, around and after ``prefect deploy``."""

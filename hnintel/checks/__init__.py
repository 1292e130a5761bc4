"""Data quality checks of a day's rows; a blocking check that fails stops the stages downstream."""

"""Data quality: what is checked of a day, beside the thing it guards; blocking checks stop what is downstream."""

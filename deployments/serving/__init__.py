"""The processes of ``make serve``, and how they end."""

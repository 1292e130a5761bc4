"""What ``make serve`` starts, and how it ends."""

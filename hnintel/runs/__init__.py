"""What a run says of itself: summary, lineage, progress, log."""

"""What must be there before a run: checks that only look, and say of what is missing how to mend it."""

"""Days as partitions: the stages of a day, their inputs, their status, and which are due."""

"""Process-wide services: progress reports, and stopping on a signal or a cancellation."""

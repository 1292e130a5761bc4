"""Prefect flows: when the stages run, and in which order. No SQL, no HTTP, no parsing."""

from flows.run_log import InRunLog
from hnintel.process import progress

progress.use(InRunLog())  # the command line replaces this

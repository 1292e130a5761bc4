"""When and in what order: Prefect flows. No SQL, no HTTP, no parsing."""

from flows.run_log import InRunLog
from hnintel.process import progress

progress.use(InRunLog())  # a command line says where else

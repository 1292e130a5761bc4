"""Progress of a run under a worker: the lines of the terminal, in the run's log, which Prefect's UI shows."""

from __future__ import annotations

from hnintel.process.progress import Lines


class InRunLog(Lines):
    """Log progress lines to the current flow run; outside of a flow run they are dropped."""

    def tell(self, line: str) -> None:
        """Log *line*."""
        from prefect import get_run_logger  # only after the command line has set the environment
        from prefect.exceptions import MissingContextError

        try:
            get_run_logger().info(line)
        except MissingContextError:
            return

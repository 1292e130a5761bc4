"""What a run says of itself under a worker: the lines of a terminal, in the run's log, which Prefect's UI shows."""

from __future__ import annotations

from hnintel.process.progress import Lines


class InRunLog(Lines):
    """Tells a line through the logger of the flow run that is going on; outside of one, nobody."""

    def tell(self, line: str) -> None:
        """Log *line*."""
        from prefect import get_run_logger  # not before the command line has made its environment
        from prefect.exceptions import MissingContextError

        try:
            get_run_logger().info(line)
        except MissingContextError:
            return

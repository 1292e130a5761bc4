"""A person's approval before money is spent: a run that may cost more than the set limit waits for it or stops."""

from __future__ import annotations

from typing import Annotated

from prefect import runtime
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from pydantic import Field

from hnintel.cost.budget import Estimate, refuse_unapproved, too_much, wants_approval
from hnintel.errors import BudgetReached
from hnintel.process import progress
from hnintel.settings import Settings

#: Seconds between two looks for the person's answer.
_LOOKS = 5


class Approval(RunInput):
    """The form that Prefect's UI shows."""

    go_on: Annotated[bool, Field(description="Begin; else the run stops here, with nothing asked and nothing paid.")]


async def approval(total: Estimate, settings: Settings, plan: str, unknown: int = 0) -> None:
    """Pause the run until a person answers in the UI, with the plan before them.

    Args:
        total: the estimated cost of the run.
        settings: the limit, and for how long the run waits for an answer.
        plan: the plan, as Markdown.
        unknown: number of days whose cost cannot be estimated.

    Raises:
        BudgetReached: the person answered no, or nobody answered in time; no question was sent.
        UsageError: the run belongs to no deployment, so the UI could show the form to nobody.
    """
    if not wants_approval(total, settings, unknown):
        return
    if runtime.deployment.id is None:
        refuse_unapproved(total, settings, unknown)
    message, seconds = too_much(total, settings, unknown), round(settings.approve_minutes * 60)
    progress.update("approval", 0, note=f"{message}; waiting for an answer in Prefect's UI")
    form = Approval.with_initial_data(description=f"**Go on?** {message}.\n\n{plan}", go_on=False)
    try:
        answer = await apause_flow_run(wait_for_input=form, timeout=seconds, poll_interval=min(_LOOKS, seconds))
    except FlowPauseTimeout:
        raise BudgetReached(
            f"{message}, and nobody answered within {settings.approve_minutes:g} minutes (HNINTEL_APPROVE_MINUTES): "
            "nothing was started; run it again"
        ) from None
    if answer is None or not answer.go_on:
        raise BudgetReached(f"{message}, and the answer was no: nothing was started")
    progress.finish("approval", "given")

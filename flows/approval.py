"""A person's word before money is spent: what may cost more than is set waits for it, or is not begun."""

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

#: How often an answer is looked for, in seconds.
_LOOKS = 5


class Approval(RunInput):
    """What the form in the UI asks."""

    go_on: Annotated[bool, Field(description="Begin; else the run stops here, with nothing asked and nothing paid.")]


async def approval(total: Estimate, settings: Settings, plan: str, unknown: int = 0) -> None:
    """Pause the run until a person answers in the UI, with the plan before them.

    Args:
        total: what it may cost.
        settings: the limit, and for how long an answer is waited for.
        plan: Markdown.
        unknown: days that cost something, of which nobody knows how much.

    Raises:
        BudgetReached: the answer was no, or nobody answered in time; nothing was asked of AI.
        UsageError: the run is no deployment's, so that nobody would be shown the question.
    """
    if not wants_approval(total, settings, unknown):
        return
    if runtime.deployment.id is None:
        refuse_unapproved(total, settings, unknown)
    told, seconds = too_much(total, settings, unknown), round(settings.approve_minutes * 60)
    progress.update("approval", 0, note=f"{told}; waiting for an answer in Prefect's UI")
    form = Approval.with_initial_data(description=f"**Go on?** {told}.\n\n{plan}", go_on=False)
    try:
        answer = await apause_flow_run(wait_for_input=form, timeout=seconds, poll_interval=min(_LOOKS, seconds))
    except FlowPauseTimeout:
        raise BudgetReached(
            f"{told}, and nobody answered within {settings.approve_minutes:g} minutes (HNINTEL_APPROVE_MINUTES): "
            "nothing was begun; start it again"
        ) from None
    if answer is None or not answer.go_on:
        raise BudgetReached(f"{told}, and the answer was no: nothing was begun")
    progress.finish("approval", "given")

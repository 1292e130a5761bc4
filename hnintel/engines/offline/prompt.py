"""Splits a prompt into the instruction and the text that it is about."""

from __future__ import annotations

from hnintel.engines.base import TEXT_CLOSES, TEXT_OPENS


def instruction_and_text(prompt: str) -> tuple[str, str]:
    """Return the text before the last opening mark, and the text between it and the closing mark.

    A prompt without marks is an instruction up to its first blank line, followed by a text.
    """
    opens = prompt.rfind(TEXT_OPENS)
    if opens < 0:
        instruction, _, text = prompt.partition("\n\n")
        return instruction, text
    text = prompt[opens + len(TEXT_OPENS) :]
    closes = text.rfind(TEXT_CLOSES)
    return prompt[:opens], (text if closes < 0 else text[:closes]).strip()

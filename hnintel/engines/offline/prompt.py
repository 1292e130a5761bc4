"""Takes a prompt apart: the instruction, and the text that it is about."""

from __future__ import annotations

from hnintel.engines.base import TEXT_CLOSES, TEXT_OPENS


def instruction_and_text(prompt: str) -> tuple[str, str]:
    """What stands before the last opening mark, and what stands between it and the closing one.

    A prompt without marks is an instruction up to its first blank line and a text after it.
    """
    opens = prompt.rfind(TEXT_OPENS)
    if opens < 0:
        instruction, _, text = prompt.partition("\n\n")
        return instruction, text
    text = prompt[opens + len(TEXT_OPENS) :]
    closes = text.rfind(TEXT_CLOSES)
    return prompt[:opens], (text if closes < 0 else text[:closes]).strip()

"""Text that is shown to people: what a terminal would obey, or would hide, is spelt out."""

import json


def harmless(text: str) -> str:
    """Spell out what is neither printable nor a tab: escapes, direction marks, line breaks."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\t" else ascii(each)[1:-1] for each in text
    )


def harmless_lines(text: str) -> str:
    """Do the same for a text whose line breaks are ours."""
    return "\n".join(map(harmless, text.split("\n")))


def harmless_json(text: str) -> str:
    """Do the same in JSON, whose own escapes keep the meaning; its line breaks are layout."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text
    )

"""Numbers, as people read them."""

_STEP = 1000


def size(number_of_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number_of_bytes < _STEP:
            return (
                f"{number_of_bytes:.0f} {unit}"
                if unit == "bytes"
                else f"{number_of_bytes:.1f} {unit}"
            )
        number_of_bytes /= _STEP
    return f"{number_of_bytes:.1f} TB"


def age(seconds: float) -> str:
    """One number tells enough: 5m, 3h, 12d."""
    if seconds < 0:
        return f"in {age(-seconds)}"
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds)}s"


def duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


def count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"

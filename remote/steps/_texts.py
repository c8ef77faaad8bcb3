"""The texts that a step is given: SQL and awk, by the names of their files."""

from .._door.script import source


def sql_of(*names: str) -> str:
    return "".join(source(f"{name}.sql") for name in names)


def awk_of(name: str) -> str:
    return source(f"{name}.awk")

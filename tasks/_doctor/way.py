"""What is found of the settings, and on the way to the host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .findings import Finding, ok, told

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...remote import Examination, Seen


def of_settings(settings: Settings) -> Iterator[Finding]:
    from ...config.secrecy import shown
    from ...config.settings import SPECS

    given: dict[str, list[str]] = {}
    for name, spec in SPECS.items():
        source, value = settings.sources.get(spec.variable, "default"), getattr(settings, name)
        if source == "default" or value is None or spec.variable == "BACKUP_VERSION":
            continue
        hidden = spec.secret or spec.variable == "SSH_KNOWN_HOSTS"
        text = "" if hidden else f"={shown(str(value))[1:-1]}"
        given.setdefault(source, []).append(f"{spec.variable}{text}")
    lines = [f"{source}: {' '.join(settings)}" for source, settings in given.items()]
    yield ok("settings", "\n".join([*lines, "default: all others"]))
    source = f"{settings.version} ({settings.sources['BACKUP_VERSION']})"
    yield ok("version", settings.version_note or source)


def of_way(examination: Examination) -> Iterator[Finding]:
    for hop in examination.hops:
        is_last = hop is examination.hops[-1]
        yield from _of_hop(hop, examination.failed if is_last else "")
    if examination.failure:
        yield told(examination.failed, examination.failure)


def _of_hop(hop: Seen, ends_at: str) -> Iterator[Finding]:
    if hop.addresses:
        yield ok("dns", f"{hop.name} is {', '.join(hop.addresses)}")
    elif hop.addresses is None:
        yield ok("dns", f"{hop.name} is looked up on the way there, by ssh_config's proxy")
    if ends_at in ("dns", "port"):
        return
    yield ok("port", f"{hop.peer} answers: {hop.software}")
    if ends_at == "host key":
        return
    yield ok("host key", f"{hop.host_key}, known by {hop.known_as}")
    if not ends_at:
        offers = f"; the host offers {', '.join(hop.methods)}" if hop.methods else ""
        yield ok("login", f"{hop.where} with {hop.key_used or 'a key of yours'}{offers}")

"""Judges the machine and its database server: what runs out, and what loses letters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject

_GB = 1024**3
_DISK_FAIL, _DISK_WARN = _GB, 5 * _GB
_MEMORY_WARN = _GB // 2
_FILES_LEAST = 1024
_BACKUP_WARN, _BACKUP_FAIL = timedelta(hours=36), timedelta(days=7)
_VERSION_LEAST, _VERSION_OLD = 14, 15  #: of PostgreSQL; 14 is no longer mended since 2026-11


@dataclass(frozen=True, kw_only=True)
class MachineFacts:
    """What was measured on the machine."""

    disk_free: int  #: bytes, where the data is
    memory_free: int  #: bytes that programs may still take
    open_files: int  #: that a process may have; -1: any number
    zones: int  #: time zones that are known
    encoding: str  #: of file names and of text without one


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """What a PostgreSQL server says of itself."""

    version: int  #: the major one
    encoding: str
    settings: Mapping[str, str]


def machine_findings(facts: MachineFacts) -> Iterator[SetupFinding]:
    """Judge disk, memory, files, time zones and encoding."""
    yield _disk(facts.disk_free)
    about, free = SetupSubject(SetupArea.MACHINE, "memory"), facts.memory_free
    if free < _MEMORY_WARN:
        yield about.warn(f"{_size(free)} are free", "add memory, or stop other programs")
    else:
        yield about.ok(f"{_size(free)} are free")
    about = SetupSubject(SetupArea.MACHINE, "open files")
    if 0 <= facts.open_files < _FILES_LEAST:
        yield about.warn(
            f"a process may open {facts.open_files}: fewer than readers who come at once",
            "raise it: ulimit -n 4096, or LimitNOFILE=4096 in the unit",
        )
    else:
        yield about.ok("any number" if facts.open_files < 0 else f"{facts.open_files:,} a process")
    about = SetupSubject(SetupArea.MACHINE, "time zones")
    if facts.zones:
        yield about.ok(f"{facts.zones} are known")
    else:
        yield about.fail("none is known: no issue has an hour", "install the package tzdata")
    about = SetupSubject(SetupArea.MACHINE, "encoding")
    if facts.encoding.lower().replace("-", "") == "utf8":
        yield about.ok("UTF-8")
    else:
        yield about.warn(
            f"text without an encoding is taken for {facts.encoding}", "set LANG=C.UTF-8"
        )


def _disk(free: int) -> SetupFinding:
    about = SetupSubject(SetupArea.MACHINE, "disk")
    cure = "free some: a full disk stops the database, and with it every unsubscribe"
    if free < _DISK_FAIL:
        return about.fail(f"{_size(free)} are free", cure)
    if free < _DISK_WARN:
        return about.warn(f"{_size(free)} are free", cure)
    return about.ok(f"{_size(free)} are free")


def backup_finding(newest: datetime | None, now: datetime) -> SetupFinding:
    """Judge the age of the newest backup."""
    about = SetupSubject(SetupArea.MACHINE, "backup")
    cure = "run `newsletter backup FILE` each night: docs/how-to/backup.md"
    if newest is None:
        return about.fail("there is no backup in that folder", cure)
    age = now - newest
    text = f"the newest is {age // timedelta(hours=1)} hours old"
    if age > _BACKUP_FAIL:
        return about.fail(text, cure)
    return about.warn(text, cure) if age > _BACKUP_WARN else about.ok(text)


def backup_unknown() -> SetupFinding:
    """Say that nobody named the folder with the backups."""
    return SetupSubject(SetupArea.MACHINE, "backup").unknown(
        "nobody said where backups are",
        "set NEWSLETTER_BACKUPS, or name their folder: newsletter doctor --backups FOLDER",
    )


def server_findings(facts: ServerFacts) -> Iterator[SetupFinding]:
    """Judge the PostgreSQL server."""
    about = SetupSubject(SetupArea.DATABASE, "PostgreSQL")
    if facts.version < _VERSION_LEAST:
        yield about.fail(f"version {facts.version} is too old", "use PostgreSQL 18")
    elif facts.version < _VERSION_OLD:
        yield about.warn(f"version {facts.version} is no longer mended", "use PostgreSQL 18")
    else:
        yield about.ok(f"version {facts.version}")
    about = SetupSubject(SetupArea.DATABASE, "encoding")
    if facts.encoding == "UTF8":
        yield about.ok("UTF-8")
    else:
        yield about.fail(f"it stores {facts.encoding}", "create the database with ENCODING 'UTF8'")
    yield from _durability(facts.settings)


def _durability(settings: Mapping[str, str]) -> Iterator[SetupFinding]:
    about = SetupSubject(SetupArea.DATABASE, "durability")
    fatal = [name for name in ("fsync", "full_page_writes") if settings.get(name) == "off"]
    for name in fatal:
        yield about.fail(
            f"{name} is off: a power cut may lose unsubscribes, and send letters twice",
            f"ALTER SYSTEM SET {name} = on",
        )
    lazy = settings.get("synchronous_commit") == "off"
    if lazy:
        yield about.warn(
            "synchronous_commit is off: a crash forgets the last moments",
            "ALTER SYSTEM SET synchronous_commit = on",
        )
    if settings.get("autovacuum") == "off":
        yield about.warn("autovacuum is off: tables grow without end", "switch autovacuum on")
    if not fatal and not lazy:
        yield about.ok("what is committed survives a power cut")


def _size(size: int) -> str:
    return f"{size / _GB:,.1f} GB"

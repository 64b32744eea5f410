"""Where the platform's state is saved: nowhere (it is in memory anyway), or in a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from togetherai_simulator.job import Job


@dataclass
class Saved:
    """What a store holds: documents by name, and the jobs in the order of their numbers."""

    documents: dict[str, str] = field(default_factory=dict[str, str])
    jobs: list[Job] = field(default_factory=list[Job])


class Store(Protocol):
    """Keeps the state across restarts."""

    def load(self) -> Saved:
        """What was saved before; empty at first."""
        ...

    def save(self, documents: Mapping[str, str], jobs: Iterable[Job], forgotten: Iterable[int]) -> None:
        """Writes what changed, all or nothing. After it has returned, a killed process loses none of it."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


class MemoryStore:
    """Keeps nothing: the state ends with the process."""

    def load(self) -> Saved:
        return Saved()

    def save(self, documents: Mapping[str, str], jobs: Iterable[Job], forgotten: Iterable[int]) -> None:
        pass

    def close(self) -> None:
        pass


class SqliteStore:
    """Keeps the state in a SQLite file, written before each answer.

    In WAL mode with synchronous=NORMAL the operating system holds a commit once the commit returns, so nothing that was
    answered is lost if the process is killed. Only a power cut may lose the last changes, which a simulator can accept.
    """

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.DatabaseError if the file is not a database, or if another simulator uses it."""
        self._db = sqlite3.connect(path, isolation_level=None, timeout=1)
        try:
            # One simulator per file: two would overwrite each other's state.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS documents (name TEXT PRIMARY KEY, body TEXT NOT NULL)")
            self._db.execute("CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        except sqlite3.Error:
            self._db.close()
            raise

    def load(self) -> Saved:
        documents: dict[str, str] = dict(self._db.execute("SELECT name, body FROM documents").fetchall())
        bodies: list[tuple[str]] = self._db.execute("SELECT body FROM jobs ORDER BY number").fetchall()
        return Saved(documents, [Job.model_validate_json(body) for (body,) in bodies])

    def save(self, documents: Mapping[str, str], jobs: Iterable[Job], forgotten: Iterable[int]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?)", documents.items())
        self._db.executemany(
            "INSERT OR REPLACE INTO jobs VALUES (?, ?)",
            [(job.number, job.model_dump_json(exclude_none=True)) for job in jobs],
        )
        self._db.executemany("DELETE FROM jobs WHERE number = ?", [(number,) for number in forgotten])
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()

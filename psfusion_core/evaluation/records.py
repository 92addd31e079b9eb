"""Stores measured values in a CSV file with a row for each method and pair, which survives a killed run."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from psfusion_core.base.atomic_file import replacing
from psfusion_core.evaluation.pair_measurement import MeasurementKey

KEY_COLUMNS = (*MeasurementKey._fields, "fingerprint")


class RecordError(ValueError):
    """A file of records cannot be used. The message names it."""


class Records:
    """Rows of values by key, in memory and, if there is a path, on disk as soon as they are added.

    An incomplete row of a killed run is dropped, so that it is measured again. The file is locked while it is
    open. Closing sorts it by method, condition and pair.

    Args:
        path: The CSV file, which is created if missing. None keeps the rows in memory only.
        columns: The names of the values that will be added. Other columns of the file are kept.

    Raises:
        RecordError: The file is not a file of records, or another process has it open.
        OSError: The file cannot be read or written.
    """

    def __init__(self, path: Path | None, columns: Iterable[str]) -> None:
        self.path = path
        self._rows: dict[MeasurementKey, tuple[str, dict[str, float]]] = {}
        self.columns = list(columns)
        if path is None:
            return
        self._lock = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise RecordError(
                f"another psfusion evaluate is writing to {path.parent}: wait, or choose another --output"
            ) from None
        try:
            if path.exists():
                self._read(path)
            self._write(path)
            self._file = path.open("a", encoding="utf-8", newline="")
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Records:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.path is None:
            return
        try:
            self._file.close()
            self._write(self.path)
        finally:
            os.close(self._lock)

    def find(self, key: MeasurementKey, fingerprint: str) -> dict[str, float]:
        """Return the known values of a key; none if they were measured from other inputs."""
        known, values = self._rows.get(key, ("", {}))
        return values if known == fingerprint else {}

    def add(self, key: MeasurementKey, fingerprint: str, values: Mapping[str, float]) -> None:
        """Add values to the known values of a key. The row is on disk when this method returns."""
        self._rows[key] = fingerprint, {**self.find(key, fingerprint), **values}
        if self.path is not None:
            self._file.write(_line(self._cells(key)))
            self._file.flush()

    def _read(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8", errors="replace")
        rows = csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline=""))
        header = next(rows, [])
        if tuple(header[: len(KEY_COLUMNS)]) != KEY_COLUMNS:
            raise RecordError(f"{path} is not a table of psfusion evaluate: choose another --output")
        names = header[len(KEY_COLUMNS) :]
        self.columns += [name for name in names if name not in self.columns]
        for cells in rows:
            if len(cells) != len(header):
                continue
            method, condition, pair, fingerprint, *numbers = cells
            try:
                values = {name: float(n) for name, n in zip(names, numbers, strict=True) if n}
            except ValueError:
                continue
            self._rows[MeasurementKey(method, condition, pair)] = fingerprint, values

    def _write(self, path: Path) -> None:
        lines = [
            _line([*KEY_COLUMNS, *self.columns]),
            *(_line(self._cells(key)) for key in sorted(self._rows)),
        ]
        with replacing(path) as temporary:
            temporary.write_text("".join(lines), encoding="utf-8", newline="")

    def _cells(self, key: MeasurementKey) -> list[str]:
        fingerprint, values = self._rows[key]
        return [*key, fingerprint, *(repr(values[c]) if c in values else "" for c in self.columns)]


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()

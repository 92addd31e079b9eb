"""The log of a training run: a table of losses, and TensorBoard scalars and pictures."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from torch import Tensor

from psfusion_core.base.atomic_file import replacing
from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.training.data.scene_planes import Batch
from psfusion_core.training.inspection import draw_output

LOSSES_FILE = "losses.csv"


class TrainingLog:
    """Writes ``losses.csv`` and TensorBoard event files into a run's folder.

    A resumed run repeats the steps after its last checkpoint, so their log entries are dropped. Log a step
    before saving its checkpoint. If several processes train together, only one has the log.

    Args:
        folder: The folder of the run; it exists.
        step: Step of the checkpoint that the run resumes from; 0 for a new run, which drops any older log.

    Raises:
        ImportError: tensorboard is not installed.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError(f"{error}: the training log needs pip install '.[train]'") from error
        self._table = LossTable(folder / LOSSES_FILE, step)
        # TensorBoard drops the entries of earlier files from this step on.
        self._events = SummaryWriter(str(folder), purge_step=step + 1 if step else 0)

    def losses(self, step: int, terms: Mapping[str, Tensor | float]) -> None:
        """Add a row to the table and the scalars ``loss/NAME``."""
        values = {name: float(value) for name, value in terms.items()}
        self._table.add(step, values)
        self.scalars(step, {f"loss/{name}": value for name, value in values.items()})

    def scalars(self, step: int, values: Mapping[str, Tensor | float]) -> None:
        """Add TensorBoard scalars, named such as ``learning_rate`` or ``validation/mean_iou``."""
        for name, value in values.items():
            self._events.add_scalar(name, float(value), step)

    def pictures(self, step: int, batch: Batch, output: FusionOutput) -> None:
        """Add the picture ``fusion`` of up to four items, as :func:`draw_output` draws it."""
        self._events.add_image("fusion", draw_output(batch, output), step, dataformats="HWC")

    def flush(self) -> None:
        """Write the events to disk; call it with every checkpoint, so that a resumed run has all events."""
        self._events.flush()

    def close(self) -> None:
        self._events.close()

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class LossTable:
    """A CSV file with one row per logged step: ``step``, then one column per loss term.

    Args:
        path: The file.
        step: The last step to keep; later rows are dropped.
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        self.columns = ["step"]
        kept = [row for row in self._rows() if int(row["step"]) <= step]
        if kept:
            self._rewrite(list(kept[0]), kept)
        else:
            path.unlink(missing_ok=True)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append a row; a new term gets a new column, which is empty in earlier rows."""
        row = {"step": str(step), **{name: f"{value:.6f}" for name, value in values.items()}}
        if not row.keys() <= set(self.columns) or not self.path.exists():
            self._rewrite(list(dict.fromkeys([*self.columns, *row])), self._rows())
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)

    def _rows(self) -> list[dict[str, str]]:
        if not self.path.exists():
            return []
        complete, _, _ = self.path.read_text().rpartition("\n")  # a kill may have cut the last row short
        return list(csv.DictReader(complete.splitlines()))

    def _rewrite(self, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
        self.columns = list(columns)
        with replacing(self.path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

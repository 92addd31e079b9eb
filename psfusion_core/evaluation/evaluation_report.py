"""What an evaluation says: tables as text, and the files of its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from psfusion_core.base.atomic_file import replacing
from psfusion_core.cameras.image_files import write_image
from psfusion_core.evaluation.disturbances import CLEAN
from psfusion_core.evaluation.figures import draw_cumulative_curves
from psfusion_core.evaluation.label_counts import box_columns, box_scores, label_columns, label_scores
from psfusion_core.evaluation.methods import Method
from psfusion_core.evaluation.origins import Result, SourceImages
from psfusion_core.evaluation.pair_measurement import read_sources
from psfusion_core.evaluation.planning import Plan, Subject
from psfusion_core.evaluation.records import Records
from psfusion_core.evaluation.robustness import fusion_quantities, label_quantities, write_robustness
from psfusion_core.evaluation.sheet import draw_sheet
from psfusion_core.evaluation.summary import Values, common_pairs, summarise
from psfusion_core.evaluation.tables import box_table, label_table, latex_table, markdown_table
from psfusion_core.metrics import choose_metrics

PER_IMAGE = "per_image.csv"
TABLE, LATEX_TABLE = "table.md", "table.tex"
CURVES, SHEET = "cumulative_curves.png", "contact_sheet.png"
ROBUSTNESS_TABLE, ROBUSTNESS_CURVES = "robustness.csv", "robustness.png"


class EvaluationReport:
    """What was measured of a subject.

    Args:
        subject: of the evaluation.
        plan: that was carried out.
        records: with what it measured.

    Raises:
        ValueError: no pair could be measured for every method.
    """

    def __init__(self, subject: Subject, plan: Plan, records: Records) -> None:
        self.subject = subject
        self._metrics = choose_metrics(subject.metrics, subject.protocol)
        self._values: dict[str, dict[str, dict[str, dict[str, float]]]] = {
            m.name: {} for m in subject.methods
        }
        for key, fingerprint in plan.fingerprints.items():
            of_condition = self._values[key.method].setdefault(key.condition, {})
            of_condition[key.pair] = records.find(key, fingerprint)
        self._fusing = [method for method in subject.methods if method.fuses]
        self._summary = summarise(self._clean(self._fusing), self._metrics) if self._fusing else None

    def tables(self) -> str:
        """Every table, as Markdown."""
        classes = self.subject.classes
        tables = [markdown_table(self._summary)] if self._summary else []
        if self.subject.labels:
            pairs, rows = self._counts(label_columns(classes))
            scores = {name: label_scores(row, classes) for name, row in rows.items()}
            tables.append(label_table(scores, classes, pairs))
        if self.subject.boxes:
            pairs, rows = self._counts(box_columns(classes))
            found = {name: box_scores(row, classes) for name, row in rows.items()}
            tables.append(box_table(found, pairs))
        return "\n\n".join(tables)

    def write(self, folder: Path) -> list[str]:
        """Write all but the values of each image, which the records keep.

        Args:
            folder: that exists.

        Returns:
            Names of the files.

        Raises:
            ImportError: matplotlib is missing.
            OSError: a file cannot be written.
        """
        texts = {TABLE: self.tables()}
        if self._summary:
            texts[LATEX_TABLE] = latex_table(self._summary)
        for name, text in texts.items():
            with replacing(folder / name) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
        written = list(texts)
        if self._summary:
            draw_cumulative_curves(self._summary, folder / CURVES)
            has_truth = bool(self.subject.labels or self.subject.boxes)
            classes = self.subject.classes if has_truth else None  # else nobody said what they are called
            with replacing(folder / SHEET) as temporary:
                write_image(temporary, draw_sheet(self._summary, self._read_results, classes))
            written += [CURVES, SHEET]
        if len(self.subject.disturbances) > 1:
            methods = [method for method in self.subject.methods if method.fuses_anew]
            fusing = {method.name: self._values[method.name] for method in methods}
            labelling = {method.name: fusing[method.name] for method in methods if method.labels}
            quantities = fusion_quantities(fusing, self._metrics)
            if labelling:
                truths = bool(self.subject.labels), bool(self.subject.boxes)
                quantities += label_quantities(labelling, self.subject.classes, *truths)
            write_robustness(quantities, list(fusing), folder / ROBUSTNESS_TABLE, folder / ROBUSTNESS_CURVES)
            written += [ROBUSTNESS_TABLE, ROBUSTNESS_CURVES]
        return written

    def _clean(self, methods: Sequence[Method]) -> dict[str, Values]:
        return {method.name: self._values[method.name].get(CLEAN, {}) for method in methods}

    def _counts(self, columns: Sequence[str]) -> tuple[int, dict[str, list[Mapping[str, float]]]]:
        """Number of the pairs that every method with label maps has, and their counts by method."""
        values = self._clean([method for method in self.subject.methods if method.labels])
        pairs = common_pairs(values, columns)
        return len(pairs), {name: [rows[pair] for pair in pairs] for name, rows in values.items()}

    def _read_results(self, name: str) -> tuple[SourceImages, list[Result]]:
        pair = next(pair for pair in self.subject.pairs if pair.name == name)
        sources = read_sources(pair)
        return sources, [method.origin(name, sources).load(sources) for method in self._fusing]

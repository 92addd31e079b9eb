"""The result of an evaluation: tables as text, and the files in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from psfusion_core.base.atomic_file import replacing
from psfusion_core.cameras.image_files import write_image
from psfusion_core.evaluation.disturbances import CLEAN
from psfusion_core.evaluation.example_sheet import draw_sheet
from psfusion_core.evaluation.figures import draw_cumulative_curves
from psfusion_core.evaluation.label_counts import box_columns, box_scores, label_columns, label_scores
from psfusion_core.evaluation.method_results import MethodResult, SourceImages
from psfusion_core.evaluation.methods import Method
from psfusion_core.evaluation.pair_measurement import read_sources
from psfusion_core.evaluation.planning import EvaluationSetup, Plan
from psfusion_core.evaluation.records import Records
from psfusion_core.evaluation.robustness import fusion_quantities, label_quantities, write_robustness
from psfusion_core.evaluation.summary import Values, common_pairs, summarise
from psfusion_core.evaluation.tables import box_table, label_table, latex_table, markdown_table
from psfusion_core.metrics import choose_metrics

PER_IMAGE = "per_image.csv"
TABLE, LATEX_TABLE = "table.md", "table.tex"
CURVES, SHEET = "cumulative_curves.png", "contact_sheet.png"
ROBUSTNESS_TABLE, ROBUSTNESS_CURVES = "robustness.csv", "robustness.png"


class EvaluationReport:
    """The tables and figures of an evaluation.

    Args:
        setup: The inputs and options.
        plan: The executed plan.
        records: The measured values.

    Raises:
        ValueError: No pair could be measured for every method.
    """

    def __init__(self, setup: EvaluationSetup, plan: Plan, records: Records) -> None:
        self.setup = setup
        self._metrics = choose_metrics(setup.metrics, setup.protocol)
        self._values: dict[str, dict[str, dict[str, dict[str, float]]]] = {m.name: {} for m in setup.methods}
        for key, fingerprint in plan.fingerprints.items():
            of_condition = self._values[key.method].setdefault(key.condition, {})
            of_condition[key.pair] = records.find(key, fingerprint)
        self._fusing = [method for method in setup.methods if method.fuses]
        self._summary = summarise(self._clean(self._fusing), self._metrics) if self._fusing else None

    def tables(self) -> str:
        """Format all tables as Markdown."""
        classes = self.setup.classes
        tables = [markdown_table(self._summary)] if self._summary else []
        if self.setup.labels:
            pairs, rows = self._counts(label_columns(classes))
            scores = {name: label_scores(row, classes) for name, row in rows.items()}
            tables.append(label_table(scores, classes, pairs))
        if self.setup.boxes:
            pairs, rows = self._counts(box_columns(classes))
            found = {name: box_scores(row, classes) for name, row in rows.items()}
            tables.append(box_table(found, pairs))
        return "\n\n".join(tables)

    def write(self, folder: Path) -> list[str]:
        """Write all files, except the values of each image, which are in the records.

        Args:
            folder: The output folder, which must exist.

        Returns:
            The names of the files.

        Raises:
            ImportError: matplotlib is missing.
            OSError: A file cannot be written.
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
            has_truth = bool(self.setup.labels or self.setup.boxes)
            classes = self.setup.classes if has_truth else None  # without truth the class names are unknown
            with replacing(folder / SHEET) as temporary:
                write_image(temporary, draw_sheet(self._summary, self._read_results, classes))
            written += [CURVES, SHEET]
        if len(self.setup.disturbances) > 1:
            methods = [method for method in self.setup.methods if method.fuses_here]
            fusing = {method.name: self._values[method.name] for method in methods}
            labelling = {method.name: fusing[method.name] for method in methods if method.labels}
            quantities = fusion_quantities(fusing, self._metrics)
            if labelling:
                truths = bool(self.setup.labels), bool(self.setup.boxes)
                quantities += label_quantities(labelling, self.setup.classes, *truths)
            write_robustness(quantities, list(fusing), folder / ROBUSTNESS_TABLE, folder / ROBUSTNESS_CURVES)
            written += [ROBUSTNESS_TABLE, ROBUSTNESS_CURVES]
        return written

    def _clean(self, methods: Sequence[Method]) -> dict[str, Values]:
        return {method.name: self._values[method.name].get(CLEAN, {}) for method in methods}

    def _counts(self, columns: Sequence[str]) -> tuple[int, dict[str, list[Mapping[str, float]]]]:
        """Return the number of pairs that every method with label maps has, and their counts by method."""
        values = self._clean([method for method in self.setup.methods if method.labels])
        pairs = common_pairs(values, columns)
        return len(pairs), {name: [rows[pair] for pair in pairs] for name, rows in values.items()}

    def _read_results(self, name: str) -> tuple[SourceImages, list[MethodResult]]:
        pair = next(pair for pair in self.setup.pairs if pair.name == name)
        sources = read_sources(pair)
        return sources, [method.result_loader(name, sources).load(sources) for method in self._fusing]

"""The page of a configuration, which is a row of the leaderboard: its runs differ in their seed."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.report.configuration import Configuration
from benchmark.report.gather import Table
from benchmark.report.html import row_tables
from benchmark.report.html.elements import figure, link, notice, page, text
from benchmark.report.html.names import file_name
from benchmark.report.html.render import as_text
from benchmark.report.html.row_drawn import Drawn
from benchmark.report.html.suite_page import made_elsewhere
from benchmark.report.notes import outdated
from benchmark.report.text import count, interval, number

_BANDS = (
    "Thin lines: the seeds. Band: 95 %, pointwise, of their mean, from drawing the test patients "
    "anew, where 10 of them have the finding and 10 have not. Crosses: the thresholds frozen on "
    "validation."
)

_NO_SUBGROUPS = (
    "Not recorded: this set does not tell sex, age or view of its test images.",
    "Not shown: a shortcut probe asks for no finding, so nobody is missed.",
)


def row_page(configuration: Configuration, table: Table, drawn: Drawn, gradcam: list[str]) -> str:
    """The page.

    Args:
        configuration: the runs it is about.
        table: where they stand in the leaderboard.
        drawn: what :func:`benchmark.report.html.row_figures.draw_row` returned.
        gradcam: HTML of the heat maps, or of the reason why there are none.
    """
    name = as_text(table.labels[configuration.key])
    about = _About(configuration, table, drawn, name)
    body = [
        f"<h1>{text(name)}</h1>",
        *about.introduction(),
        *about.scores(),
        *about.training(),
        *about.curves(),
        *about.decisions(),
        *about.subgroups(),
        "<h2>Where the model looks</h2>",
        *gradcam,
        "<h2>Configuration</h2>",
        *row_tables.spec(configuration),
        "<h2>Provenance</h2>",
        *row_tables.provenance(configuration),
    ]
    trail = [link("../index.html", "Leaderboard"), *about.suites()]
    title = f"{name} on {table.name}"
    return page(title, body, root="../", trail=trail)


class _About:
    """Sections of the page, each HTML lines."""

    def __init__(self, configuration: Configuration, table: Table, drawn: Drawn, name: str):
        self.configuration, self.table, self.drawn, self.name = configuration, table, drawn, name
        self.figures = f"../figures/rows/{file_name(configuration.key)}"
        test = configuration.runs[0].scores.splits["test"]
        self.n = f"{count(test.n_images)} test images of {count(test.n_patients)} patients"

    def suites(self) -> list[str]:
        rows = [run.row for run in self.configuration.runs]
        names = dict.fromkeys(row.suite for row in rows if not made_elsewhere(row))
        return [link(f"../suites/{file_name(name)}.html", f"suite {name}") for name in names]

    def introduction(self) -> Iterator[str]:
        group = self.table.group_numbers.get(self.configuration.key)
        dataset = self.table.name
        place = f"rank group {group}" if group else "not ranked"
        protocol = f'<a href="../index.html#{self.table.anchor}">{text(dataset)}</a>'
        yield f"<p>{text(self.configuration.model.title)} on {protocol}: {place}; {self.n}.</p>"
        for mark in self.table.watermarks:
            yield notice(f"Not comparable with full runs: {mark}.")
        obstacle = self.table.obstacles.get(self.configuration.key)
        if obstacle:
            yield notice(f"Not ranked: {obstacle}.")
        if self.configuration.edited_seeds:
            seeds = ", ".join(map(str, self.configuration.edited_seeds))
            yield notice(f"Predictions changed after the run, seed {seeds}.")
        yield from (notice(f"{as_text(said)}.") for said in outdated(self.configuration))
        if self.table.verdict != "clean":
            yield notice(f"Leakage verdict {self.table.verdict}: {'; '.join(self.table.reasons)}")

    def scores(self) -> Iterator[str]:
        yield "<h2>Scores</h2>"
        yield (
            "<p>All seeds: mean ± standard deviation of the seeds, and the 95 % interval from "
            "drawing the test patients anew, as in the leaderboard.</p>"
        )
        yield from row_tables.scores(self.configuration)
        yield "<h3>Each finding on the test images</h3>"
        yield from row_tables.findings(self.configuration)
        if self.table.excluded:
            said = (f"{finding}: {why}" for finding, why in self.table.excluded.items())
            yield "<p>Not in the means:</p>"
            yield f"<ul>{''.join(f'<li>{text(each)}</li>' for each in said)}</ul>"

    def training(self) -> Iterator[str]:
        yield "<h2>Training</h2>"
        histories = [run.row.history for run in self.configuration.runs if run.row.history]
        if "learning_curves" not in self.drawn.figures:
            yield "<p>No training by epochs is recorded.</p>"
            return
        gap = number(self.configuration.measurements["gap_auc_train_minus_validation"].mean)
        yield from self._figure(
            "learning_curves",
            f"Loss and AUC by epoch, a colour a seed. At the best epoch AUC on the training "
            f"images is {gap} above AUC on the validation images, mean over the seeds.",
            "Solid: train; dashed: validation. Shaded: how far training is ahead of validation. "
            "Triangle: un-augmented training images, with the weights of the best epoch.",
        )
        missing = ["AUC on the training images"]
        missing += [] if all(h.val_loss for h in histories) else ["loss on validation"]
        yield f"<p>Not recorded for every epoch: {', '.join(missing)}.</p>"

    def curves(self) -> Iterator[str]:
        yield "<h2>Curves on the test images</h2>"
        auc = self.configuration.measurements["test_auc"]
        said = f"AUC {number(auc.mean)} {interval(auc.low, auc.high)}"
        of = ", ".join(self.drawn.findings)
        without = [f for f in self.table.protocol.findings if f not in self.drawn.findings]
        if without:
            yield f"<p>{text('No curve without images of both kinds: ' + ', '.join(without))}.</p>"
        if not self.drawn.findings:
            return
        yield '<div class="figures">'
        yield from self._figure(
            "roc", f"ROC curves of {of}: {said}.", f"ROC; dotted: guessing. {_BANDS}"
        )
        yield from self._figure(
            "precision_recall",
            f"Precision against recall of {of}.",
            f"Precision against recall; dotted: the prevalence, which guessing reaches. {_BANDS}",
        )
        ece = number(self.configuration.measurements["test_ece"].mean)
        yield from self._figure(
            "reliability",
            f"Reliability diagrams of {of}: expected calibration error {ece}.",
            "Calibration, the images of all seeds together; dotted: perfect. Lines: 95 % from "
            "drawing patients anew; hollow: too few patients, or all alike, for that. Bars: how "
            "often a probability is stated.",
        )
        yield "</div>"

    def decisions(self) -> Iterator[str]:
        yield "<h2>Decisions on the test images</h2>"
        names = ("test_sensitivity", "test_specificity")
        sensitivity, specificity = (
            number(self.configuration.measurements[name].mean) for name in names
        )
        yield from self._figure(
            "confusion",
            f"Confusion matrix: sensitivity {sensitivity}, specificity {specificity}.",
            "Share of the row, and number of images, mean over the seeds with the lowest and the "
            "highest; at the thresholds frozen on validation, or the most probable class.",
        )

    def subgroups(self) -> Iterator[str]:
        yield "<h2>Subgroups</h2>"
        groups = self.drawn.subgroups
        if not groups:
            yield f"<p>{_NO_SUBGROUPS[bool(self.table.protocol.probe)]}</p>"
            return
        yield from self._figure(
            "subgroups",
            "AUC and underdiagnosis rate by sex, age and view; the numbers stand in the table.",
            "Underdiagnosis rate: of the images with a finding, the share on which the model "
            "calls none. Lines: 95 % from drawing patients anew; hollow: all alike, no interval. "
            "Left out below 10 positive, or for AUC negative, patients.",
        )
        yield from row_tables.subgroups(groups)
        over = {group.axis: ", ".join(group.findings) for group in groups}
        for said in dict.fromkeys(over.values()):
            axes = " and ".join(axis for axis, findings in over.items() if findings == said)
            means = said or "none, too few patients"
            yield f"<p>{text(f'AUC by {axes} is the mean over: {means}.')}</p>"

    def _figure(self, name: str, alt: str, caption: str) -> list[str]:
        broad = name in ("learning_curves", "subgroups") or len(self.table.protocol.findings) > 1
        alt = f"{self.name}, {self.n}. {alt}"
        return figure(f"{self.figures}/{name}", alt, caption, broad=broad)

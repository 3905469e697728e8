"""The page of a configuration, which is a row of the leaderboard: its runs differ in their seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmark.report.blocks.content import Content, Link
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.tables import (
    Beside,
    Block,
    Details,
    Facts,
    Heading,
    Page,
    Paragraph,
    Picture,
)
from benchmark.report.blocks.text import count, counted, interval, number
from benchmark.report.blocks.values import shown
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.table import Table
from benchmark.report.gathering.thresholds import decided
from benchmark.report.html import row_tables
from benchmark.report.html.names import file_name
from benchmark.report.html.row_drawn import Drawn
from benchmark.report.html.suite_page import made_elsewhere
from benchmark.report.sections.notes import outdated
from benchmark.report.sections.told_apart import member
from benchmark.scoring.improvement import gain_of
from benchmark.scoring.protocol import MINIMUM_PATIENTS
from benchmark.suites.families import is_baseline

_BANDS = (
    "Thin lines: the seeds. Band: 95 %, pointwise, of their mean, by bootstrap over the test "
    "patients, where 10 of them have the finding and 10 have not. Crosses: where it "
    "decides."
)

_NO_SUBGROUPS = (
    "Not recorded: this set does not tell sex, age or view of its test images.",
    "Not shown: attribute prediction asks for no finding, so nobody is missed.",
)


def row_page(
    configuration: Configuration, table: Table, drawn: Drawn, gradcam: list[Block]
) -> Page:
    """The page.

    Args:
        configuration: the runs it is about.
        table: where they stand in the leaderboard.
        drawn: what :func:`benchmark.report.html.row_figures.draw_row` returned.
        gradcam: the heat maps, or the reason why there are none.
    """
    name = row_tables.name(configuration, table)
    about = _About(configuration, table, drawn, name)
    blocks = [
        Heading(1, f"{name} on {table.name}"),
        *about.introduction(),
        *about.scores(),
        *about.telling(about.training()),
        *(about.on_test(gradcam) if configuration.tested else ()),
        Heading(2, "How it was made"),
        Details("Every setting, by its name in files", (row_tables.spec(configuration),)),
        Details("Each run: code, environment, files", (row_tables.provenance(configuration),)),
    ]
    trail = [Link("../index.html", "cxr-bench"), *about.suites()]
    return Page(f"{name} on {table.name}", blocks, trail, root="../")


class _About:
    """Sections of the page."""

    def __init__(self, configuration: Configuration, table: Table, drawn: Drawn, name: str):
        self.configuration, self.table, self.drawn, self.name = configuration, table, drawn, name
        self.figures = f"../figures/rows/{file_name(configuration.key)}"
        split = "test" if configuration.tested else "validation"
        part = configuration.runs[0].scores.splits[split]
        who = of_patients(part.n_patients, unknown=table.dataset.patients_unknown)
        self.n = f"{count(part.n_images)} {split} images{who}"

    def suites(self) -> list[Link]:
        rows = [run.row for run in self.configuration.runs]
        names = dict.fromkeys(row.suite for row in rows if not made_elsewhere(row))
        return [Link(f"../suites/{file_name(name)}.html", f"suite {name}") for name in names]

    def introduction(self) -> Iterator[Block]:
        protocol = Link(f"../index.html#{self.table.anchor}", self.table.name)
        title = self.configuration.model.title
        yield Paragraph((f"{title}, {self.n} of ", protocol, "."))
        yield Facts(tuple(self.first_facts()), as_table=True, card=True)
        for mark in self.table.watermarks:
            yield _notice(f"Not comparable with full runs: {mark}.")
        obstacle = self.table.obstacles.get(self.configuration.key)
        if obstacle:
            yield _notice(f"Not ranked: {obstacle}.")
        for said, seeds in (
            ("Still improving when training ended", self.configuration.improving_seeds),
            ("Never better on validation than after the first epoch",
             self.configuration.stalled_seeds),
            ("Predictions changed after the run", self.configuration.edited_seeds),
        ):  # fmt: skip
            if seeds:
                yield _notice(f"{said}, seed {', '.join(map(str, seeds))}.")
        yield from (_notice((said, ".")) for said in outdated(self.configuration))
        if (status := self.table.leakage_status) != "clean":
            yield _notice(f"Leakage status {status}: {self.table.reasons_told}.")

    def first_facts(self) -> Iterator[tuple[str, Content]]:
        c = self.configuration
        split = "test" if c.tested else "validation"
        few = " (patients are few: this may be too short)" if c.short_interval else ""
        yield f"AUC on {split}", (shown(c.measurements[f"{split}_auc"]), few)
        yield "Place", self._place()
        if c.tested:
            yield "Gap (AUC, train − test)", shown(c.measurements["gap_auc"])
            yield "F1", shown(c.measurements["test_f1"])
            yield from row_tables.decided(c)
        yield "Trained", row_tables.training_in_words(c.shown)
        yield "Seeds", f"{', '.join(map(str, c.seeds))} ({counted(len(c.seeds), 'run')})"
        yield "Parameters", count(c.model.parameters)

    def _place(self) -> str:
        letters = self.table.letters.get(self.configuration.key)
        if letters:
            said = f"letters {letters.text} in a family with {', '.join(self._relatives())}"
            return (
                f"{said}; provisional with fewer than five seeds" if letters.provisional else said
            )
        ranked = self.configuration in self.table.ranked
        return "ranked, in no family" if ranked else "not ranked"

    def _relatives(self) -> Iterator[str]:
        """The others of its family by what they differ in, with their letters."""
        number = self.table.letters[self.configuration.key].family
        of = next(each for each in self.table.families if each.number == number)
        for key in of.family.members:
            if key != self.configuration.key:
                yield f"{member(self.table, of, key)} ({of.family.letters[key]})"

    def scores(self) -> Iterator[Block]:
        if self.configuration.tested and len(self.table.protocol.findings) > 1:
            yield Heading(2, "Each finding on the test images")
            shown = [f for f in self.table.protocol.findings if f not in self.table.excluded]
            yield row_tables.findings(self.configuration, shown)
            if excluded := self.table.excluded:
                yield Paragraph(
                    f"Outside the means: {'; '.join(map(': '.join, excluded.items()))}."
                )
        said = Paragraph(
            "All seeds: mean ± standard deviation of the seeds, and the 95 % interval from "
            "the choice of test patients, as in the leaderboard."
        )
        every: list[Block] = [said, row_tables.scores(self.configuration)]
        if self.configuration.tested:
            of = self.table.protocol.findings
            every.append(row_tables.findings(self.configuration, of, self.table.excluded))
        yield Heading(2, "Scores")
        yield Details("Every score, of each seed and finding", tuple(every))

    def training(self) -> Iterator[Block]:
        yield Heading(2, "Training")
        histories = [run.row.history for run in self.configuration.runs if run.row.history]
        if "learning_curves" not in self.drawn.figures:
            yield Paragraph("No training by epochs is recorded.")
            return
        gap = number(self.configuration.measurements["gap_auc_train_minus_validation"].mean)
        yield self._figure(
            "learning_curves",
            f"Loss and AUC by epoch, a colour a seed. At the best epoch AUC on the training "
            f"images is {gap} above AUC on the validation images, mean over the seeds.",
            "Solid: train; dashed: validation. Shaded: how far training is ahead of validation. "
            "Triangle: un-augmented training images, with the weights of the best epoch.",
        )
        if said := ", ".join(self._late_gains()):
            yield Paragraph(
                "Gain of AUC on validation in the last fifth of the epochs, beside the standard "
                f"error of the best epoch's (DeLong): {said}."
            )
        missing = ["AUC on the training images"]
        missing += [] if all(h.val_loss for h in histories) else ["loss on validation"]
        yield Paragraph(f"Not recorded for every epoch: {', '.join(missing)}.")

    def _late_gains(self) -> Iterator[str]:
        for run in self.configuration.runs:
            gain, error = gain_of(run.row), run.scores.validation_auc_error
            if gain is not None and error is not None:
                yield f"{gain:.4f} beside {error:.4f} (seed {run.row.spec.seed})"

    def on_test(self, gradcam: list[Block]) -> Iterator[Block]:
        for section in (self.curves(), self.decisions(), self.subgroups()):
            yield from self.telling(section)
        yield from self.telling([Heading(2, "Where the model looks"), *gradcam])

    def telling(self, section: Iterable[Block]) -> list[Block]:
        """A section; nothing where it only says of what sees no image what there is not."""
        blocks = list(section)
        bare = all(isinstance(each, Heading | Paragraph) for each in blocks)
        return [] if bare and is_baseline(self.configuration.spec) else blocks

    def curves(self) -> Iterator[Block]:
        yield Heading(2, "Curves on the test images")
        auc = self.configuration.measurements["test_auc"]
        said = f"AUC {number(auc.mean)} {interval(auc.low, auc.high)}"
        of = ", ".join(self.drawn.findings)
        without = [f for f in self.table.protocol.findings if f not in self.drawn.findings]
        if without:
            few = f"fewer than {MINIMUM_PATIENTS} patients with it, or without"
            yield Paragraph(f"No curve, {few}, or one score for all: {', '.join(without)}.")
        if not self.drawn.findings:
            return
        ece = number(self.configuration.measurements["test_ece"].mean)
        roc = self._figure(
            "roc", f"ROC curves of {of}: {said}.", f"ROC; dotted: guessing. {_BANDS}"
        )
        precision_recall = self._figure(
            "precision_recall",
            f"Precision against recall of {of}.",
            f"Precision against recall; dotted: the prevalence, which guessing reaches. {_BANDS}",
        )
        reliability = self._figure(
            "reliability",
            f"Reliability diagrams of {of}: expected calibration error {ece}.",
            "Calibration, the images of all seeds together; dotted: perfect. Lines: 95 % from "
            "the bootstrap over patients; hollow: too few patients, or all alike, for that. Bars: "
            "how often a probability is stated.",
        )
        yield Beside((roc, precision_recall, reliability))

    def decisions(self) -> Iterator[Block]:
        yield Heading(2, "Decisions on the test images")
        if "confusion" not in self.drawn.figures:
            yield Paragraph("Not shown where there is no curve.")
            return
        run = self.configuration.runs[0]
        names = ("test_sensitivity", "test_specificity")
        sensitivity, specificity = (
            number(self.configuration.measurements[name].mean) for name in names
        )
        yield self._figure(
            "confusion",
            f"Confusion matrix: sensitivity {sensitivity}, specificity {specificity}.",
            "Share of the row, and number of images, mean over the seeds with the lowest and the "
            f"highest; decided {decided(run.scores, run.row)}.",
        )

    def subgroups(self) -> Iterator[Block]:
        yield Heading(2, "Subgroups")
        groups = self.drawn.subgroups
        if not groups:
            yield Paragraph(_NO_SUBGROUPS[bool(self.table.split_protocol.attribute)])
            return
        yield self._figure(
            "subgroups",
            "AUC and underdiagnosis rate by sex, age and view; the numbers stand in the table.",
            "Underdiagnosis rate: of the images with a finding, the share on which the model "
            "calls none. Lines: 95 %, from the choice of patients, one-sided at 0 and 1. "
            "Left out below 10 positive, or for AUC negative, patients.",
        )
        unknown = self.table.dataset.patients_unknown
        yield row_tables.subgroups(groups, patients_unknown=unknown)
        over = {group.axis: ", ".join(group.findings) for group in groups}
        for said in dict.fromkeys(over.values()):
            axes = " and ".join(axis for axis, findings in over.items() if findings == said)
            means = said or "none, too few patients"
            yield Paragraph(f"AUC by {axes} is the mean over: {means}.")

    def _figure(self, name: str, alt: str, caption: str) -> Picture:
        broad = name in ("learning_curves", "subgroups") or len(self.table.protocol.findings) > 1
        alt = f"{self.name}, {self.n}. {alt}"
        return Picture(f"{self.figures}/{name}", alt, caption, broad)


def _notice(content: Content) -> Paragraph:
    return Paragraph(content, notice=True)

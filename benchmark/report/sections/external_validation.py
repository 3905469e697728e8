"""Rows tested on another data set than theirs: tables of their own, never ranked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from benchmark.errors import UserError, quoted
from benchmark.records.door import RecordError
from benchmark.records.row import Row
from benchmark.records.run_facts import TrainedOn
from benchmark.records.scores import Scores
from benchmark.records.store import RUN_AGAIN, Results, leave_out
from benchmark.report.blocks.content import Content, Emphasis
from benchmark.report.blocks.people import of_patients
from benchmark.report.blocks.tables import (
    Block,
    Column,
    DataTable,
    Details,
    Heading,
    Paragraph,
    notes,
    text_column,
)
from benchmark.report.blocks.text import averaged, count, counted, number
from benchmark.report.columns import STALE
from benchmark.report.gathering.choosing import chosen_first
from benchmark.report.gathering.configuration import Configuration, mean
from benchmark.report.gathering.labels import labels
from benchmark.report.gathering.places import in_several_tables
from benchmark.report.gathering.run import Run
from benchmark.report.gathering.versions import Versions, configurations
from benchmark.report.sections.notes import CHANGED, outdated
from benchmark.scoring.stored import scored, stored_scores
from benchmark.spec import NETWORK, Requirement, Spec


@dataclass(frozen=True)
class ExternalValidation:
    """One configuration on another data set.

    Attributes:
        configuration: its runs there.
        home: macro AUC of the same findings on its own test split, mean over the same seeds; None
            where a finding was put together from several, or its rows are gone or made anew.
    """

    configuration: Configuration
    home: float | None

    @property
    def row(self) -> Row:
        """The first row."""
        return self.configuration.runs[0].row

    @property
    def trained_on(self) -> TrainedOn:
        """What its networks were trained on."""
        return _trained_on(self.row)

    @property
    def network(self) -> Requirement:
        """The spec of the first of its networks."""
        return network_of(self.row)

    @property
    def marks(self) -> list[str]:
        """What may make these numbers too good."""
        every = [mark for run in self.configuration.runs for mark in run.row.watermarks]
        return list(dict.fromkeys(every))

    @property
    def notes(self) -> list[Content]:
        """What a reader must know of it."""
        notes: list[Content] = list(self.marks)
        if self.configuration.edited_seeds:
            seeds = ", ".join(map(str, self.configuration.edited_seeds))
            notes.append(f"{CHANGED}: seed {seeds}")
        return notes + list(outdated(self.configuration))


def network_of(row: Row) -> Requirement:
    """The spec whose network a row on another data set tests."""
    return row.spec.requires[NETWORK]


def gather_external_validation(
    results: Results, rows: Iterable[Row] | None = None, left_out: list[UserError] | None = None
) -> list[ExternalValidation]:
    """All evaluations of a results folder: by data set and findings, then by AUC.

    Args:
        results: the folder.
        rows: all that are in it, but for these evaluations, where they have been read already.
        left_out: takes what is wrong with evaluations that cannot be used, or predictions.
    """
    runs: dict[str, list[Run]] = defaultdict(list)
    known = {row.spec_id: row for row in (results.rows() if rows is None else rows)}
    crossed = list(_of_these(known, results, left_out))
    for row, scores in scored(results.cross, crossed, stored_scores, left_out):
        runs[row.protocol.id].append(Run.of(row, scores, known))
    versions, several = Versions(), in_several_tables(crossed)
    found = [
        ExternalValidation(c, _home(results, known, c.runs))
        for of_one in runs.values()
        for c in configurations(of_one, versions, results.cross, several)
    ]
    return sorted(found, key=_order)


def _of_these(
    known: Mapping[str, Row], results: Results, left_out: list[UserError] | None
) -> Iterator[Row]:
    """The evaluations, but for those of findings that the tested row has not."""
    for row in results.cross.rows(left_out):
        tested = known.get(network_of(row).spec_id)
        theirs, _ = _trained_on(row).findings
        named = {name for own in theirs.values() for name in own}
        odd = sorted(named.difference(tested.protocol.findings)) if tested else []
        if odd:
            path = results.cross.row_path(row.spec_id)
            problem = (
                f"row {network_of(row).spec_id}, whose network it tests, has no {quoted(odd[0])}"
            )
            leave_out(RecordError(f"{path}: {problem}. {RUN_AGAIN}"), left_out)
        else:
            yield row


def external_validation_section(every: Sequence[ExternalValidation]) -> list[Block]:
    """A table a data set and protocol; nothing without evaluations."""
    if not every:
        return []
    blocks: list[Block] = [
        Heading(2, "Tested on another data set"),
        Paragraph(
            (
                "The networks of the rows above, as they are, on the test images of another set, "
                "for the findings that both sets label. Not a ranking: what differs between two "
                "rows may be the data that they were trained on. F1 at the threshold that was "
                "frozen on the validation split of their own set. ",
                Emphasis("Own AUC"),
                ": the same findings on the test split of their own set.",
            )
        ),
    ]
    for of_one in by_protocol(every):
        blocks += _table(of_one)
    return blocks


def by_protocol(every: Sequence[ExternalValidation]) -> list[list[ExternalValidation]]:
    """Those of each protocol, which share a table."""
    together: dict[str, list[ExternalValidation]] = defaultdict(list)
    for each in every:
        together[each.row.protocol.id].append(each)
    return list(together.values())


def _table(of_one: list[ExternalValidation]) -> list[Block]:
    columns = external_columns(of_one)
    chosen, rest = chosen_first(
        of_one, lambda e: (e.trained_on.dataset, e.row.spec.model), lambda e: e.configuration
    )
    others = f"The other {counted(len(rest), 'configuration')}"
    return [
        Heading(3, external_title(of_one)),
        Paragraph(measured_on(of_one)),
        Paragraph("Of each model what validation of its own set chooses among those tested here:"),
        DataTable.of(columns, chosen),
        *([Details(others, (DataTable.of(columns, rest),))] * bool(rest)),
        *notes(numbered(of_one)),
    ]


def measured_on(of_one: Sequence[ExternalValidation]) -> str:
    """The test images of the table of one protocol."""
    first = of_one[0]
    scores = first.configuration.runs[0].scores
    test = scores.splits["test"]
    who = of_patients(test.n_patients, unknown=first.row.dataset.patients_unknown)
    findings = (
        f"{finding} ({count(test.per_finding[finding].n_positive)} positive images)"
        for finding in scores.findings
    )
    mean = averaged(scores.macro_findings, scores.findings)
    return (
        f"{count(test.n_images)} test images{who}, {first.row.protocol.image_source}. "
        f"Findings: {', '.join(findings)}{mean and f'; {mean}'}.{_by_calling_all(scores)}"
    )


def numbered(of_one: Sequence[ExternalValidation]) -> list[Content]:
    """What the numbers behind names in the table of one protocol mean."""
    return [(f"({place}) ", note, ".") for place, note in enumerate(_told(of_one), 1)]


def _by_calling_all(scores: Scores) -> str:
    """What F1 is had for nothing; of exclusive findings there is no such number."""
    tested = [scores.splits["test"].per_finding[f] for f in scores.macro_findings]
    if not tested or not isinstance(scores.splits["test"].confusion, dict):
        return ""
    f1 = mean([2 * each.n_positive / (each.n + each.n_positive) for each in tested])
    return f" An image called positive whatever it shows: AUC 0.5, F1 {number(f1)}."


def external_title(of_one: Sequence[ExternalValidation]) -> str:
    """What the table of one protocol is called."""
    protocol = of_one[0].row.protocol
    return f"On {protocol.dataset} {protocol.dataset_version}"


def _told(of_one: Sequence[ExternalValidation]) -> list[Content]:
    return list(dict.fromkeys(note for each in of_one for note in each.notes))


def external_columns(of_one: Sequence[ExternalValidation]) -> list[Column[ExternalValidation]]:
    """The columns of the table of one protocol."""
    names = labels({each.configuration.key: _own_spec(each) for each in of_one})
    told = _told(of_one)
    return [
        text_column("Trained on", lambda each: each.trained_on.dataset, "trained_on"),
        text_column(
            "Configuration", lambda each: _name(each, names, told), "label", names_row=True
        ),
        Column("own_auc", "Own AUC", lambda each: each.home),
        Column("test_auc", "AUC", lambda each: each.configuration.measurements["test_auc"]),
        Column("test_f1", "F1", lambda each: each.configuration.measurements["test_f1"]),
        Column("seeds", "Seeds", lambda each: len(each.configuration.runs)),
    ]


def _name(each: ExternalValidation, names: dict[str, str], told: list[Content]) -> str:
    c = each.configuration
    code = f" [{c.differs}]" if c.differs else ""
    sign = f" {STALE}" * bool(c.outdated) + " †" * bool(c.edited_seeds)
    numbers = "".join(f" ({told.index(note) + 1})" for note in each.notes)
    return names[c.key] + code + sign + numbers


def _own_spec(each: ExternalValidation) -> Spec:
    """The spec for its label: not told apart by which row the weights come from."""
    told = {"scheme": each.trained_on.scheme, "weights": each.trained_on.weights}
    return msgspec.structs.replace(each.row.spec, **told)


def _home(results: Results, known: Mapping[str, Row], runs: tuple[Run, ...]) -> float | None:
    return mean([_own_auc(results, known, run) for run in runs])


def _own_auc(results: Results, known: Mapping[str, Row], run: Run) -> float | None:
    theirs, _ = _trained_on(run.row).findings
    row = known.get(network_of(run.row).spec_id)
    names = [own for own in theirs.values() if len(own) == 1]
    if row is None or len(names) < len(theirs) or run.remade:
        return None
    own = next((scores for _, scores in scored(results, [row], stored_scores)), None)
    if own is None:
        return None
    tested = own.splits["test"].per_finding
    macro = [list(theirs).index(f) for f in run.scores.macro_findings]
    aucs = [tested[names[i][0]].metrics["auc"] for i in macro]
    return mean(aucs) if aucs else None


def _trained_on(row: Row) -> TrainedOn:
    assert row.trained_on is not None  # as in every row of the folder of such evaluations
    return row.trained_on


def _order(each: ExternalValidation) -> tuple[str, str, float, str]:
    auc = each.configuration.measurements["test_auc"].mean
    protocol = each.row.protocol
    better_first = 1.0 if auc is None else -auc
    return protocol.dataset, protocol.id, better_first, each.row.spec_id

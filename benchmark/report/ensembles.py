"""What a reader must know of an ensemble: of whom it is made, and what it chose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from benchmark.records.store import Row
from benchmark.report.configuration import Configuration
from benchmark.report.text import plain


def is_ensemble(cell: dict) -> bool:
    """Whether the cell of a row is of an ensemble."""
    return cell.get("ensemble") is not None


def ensemble_remarks(configuration: Configuration) -> Iterator[str]:
    """Sentences about an ensemble, Markdown without the full stop; none about a model."""
    if not is_ensemble(configuration.cell):
        return
    yield f"Ensemble. {plain(configuration.model['title'])}"
    seeds: dict[str, list[str]] = defaultdict(list)
    for run in configuration.runs:
        if choice := _choice(run.row):
            seeds[choice].append(str(run.row["cell"]["seed"]))
    for choice, of_seeds in seeds.items():
        yield f"Chosen by validation with seed {', '.join(of_seeds)}, {choice}"


def _choice(row: Row) -> str:
    """What an ensemble chose; empty for a vote, which chooses nothing."""
    facts = row["ensemble"]
    if "findings" in facts:
        return "second model for " + ", ".join(plain(finding) for finding in facts["findings"])
    chose = len(facts["used"]) < len(facts["members"])
    return "used " + ", ".join(plain(name) for name in facts["used"]) if chose else ""

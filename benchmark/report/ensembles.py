"""What a reader must know of an ensemble: of whom it is made, and what it chose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from benchmark.records.store import Row
from benchmark.report.configuration import Configuration
from benchmark.report.text import number, plain


def is_ensemble(cell: dict) -> bool:
    """Whether the cell of a row is of an ensemble."""
    return cell.get("ensemble") is not None


def ensemble_remarks(configuration: Configuration) -> Iterator[str]:
    """Sentences about an ensemble, Markdown without the full stop; none about a model."""
    if not is_ensemble(configuration.cell):
        return
    yield f"Ensemble. {plain(configuration.model['title'])}"
    for run in configuration.runs:
        if "screening" in run.row["ensemble"]:
            yield _screen(run.row)
    seeds: dict[str, list[str]] = defaultdict(list)
    for run in configuration.runs:
        if choice := _choice(run.row):
            seeds[choice].append(str(run.row["cell"]["seed"]))
    for choice, of_seeds in seeds.items():
        yield f"Chosen by validation with seed {', '.join(of_seeds)}, {choice}"


def _screen(row: Row) -> str:
    """What an anomaly screen flags on test by the rule that was frozen on validation."""
    screen = row["ensemble"]["screening"]
    halves = {
        "by score or confidence": "either",
        "by score alone": "score",
        "by confidence alone": "confidence",
    }
    found = [
        f"{how} sensitivity {number(screen['test'][key]['sensitivity'])} and specificity "
        f"{number(screen['test'][key]['specificity'])}"
        for how, key in halves.items()
    ]
    return (
        f"Seed {row['cell']['seed']} flags an image whose score is higher, or its member's "
        f"confidence lower, than for {screen['normal_passed']:.0%} of normal validation images; "
        f"on test {'; '.join(found)}"
    )


def _choice(row: Row) -> str:
    """What an ensemble chose; empty for a vote, which chooses nothing."""
    facts = row["ensemble"]
    if "findings" in facts:
        return "second model for " + ", ".join(plain(finding) for finding in facts["findings"])
    chose = len(facts["used"]) < len(facts["members"])
    return "used " + ", ".join(plain(name) for name in facts["used"]) if chose else ""

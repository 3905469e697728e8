"""What a reader must know of an ensemble: of whom it is made, and what it chose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from benchmark.records.run_facts import EnsembleFacts, ScreeningFacts
from benchmark.report.blocks.text import number
from benchmark.report.gathering.configuration import Configuration
from benchmark.spec import Spec


def is_ensemble(spec: Spec) -> bool:
    """Whether a spec is of an ensemble."""
    return spec.ensemble is not None


def rule_name(spec: Spec) -> str | None:
    """How an ensemble is made, a kind of vote by its rule; None of anything else."""
    return (spec.ensemble.rule or spec.kind) if spec.ensemble else None


def ensemble_remarks(configuration: Configuration) -> Iterator[str]:
    """Sentences about an ensemble, without the full stop; none about a model."""
    if not is_ensemble(configuration.spec):
        return
    yield f"Ensemble. {configuration.model.title}"
    told = [(run.row.spec, run.row.ensemble) for run in configuration.runs if run.row.ensemble]
    for spec, facts in told:
        if facts.screening:
            yield _screen(spec.seed, facts.screening)
    seeds: dict[str, list[str]] = defaultdict(list)
    for spec, facts in told:
        if choice := _choice(spec, facts):
            seeds[choice].append(str(spec.seed))
    for choice, of_seeds in seeds.items():
        yield f"Chosen by validation with seed {', '.join(of_seeds)}, {choice}"


def _screen(seed: int, screen: ScreeningFacts) -> str:
    """What an anomaly screen flags on test by the rule that was frozen on validation."""
    halves = {
        "by score or confidence": "either",
        "by score alone": "score",
        "by confidence alone": "confidence",
    }
    found = [
        f"{how} sensitivity {number(screen.test[key].sensitivity)} and specificity "
        f"{number(screen.test[key].specificity)}"
        for how, key in halves.items()
    ]
    return (
        f"Seed {seed} flags an image whose score is higher, or its member's "
        f"confidence lower, than for {screen.normal_passed:.0%} of normal validation images; "
        f"on test {'; '.join(found)}"
    )


def _choice(spec: Spec, facts: EnsembleFacts) -> str:
    """What an ensemble chose; empty for a vote, which chooses nothing."""
    if facts.findings is not None:
        return "second model for " + ", ".join(facts.findings)
    chose = len(facts.used) < len(spec.members)
    return "used " + ", ".join(facts.used) if chose else ""

"""What stands below a table: footnotes, and the specs that did not finish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.records.row import Row
from benchmark.records.run_facts import PenaltyFacts
from benchmark.report.blocks.content import Code, Content
from benchmark.report.blocks.tables import Block, Column, DataTable, Paragraph, notes, text_column
from benchmark.report.blocks.text import counted
from benchmark.report.columns import IMPROVING, STALE, STALLED
from benchmark.report.gathering.configuration import Configuration
from benchmark.report.gathering.ensembles import ensemble_remarks
from benchmark.report.gathering.recipes import applied
from benchmark.report.gathering.stopped import why_stopped
from benchmark.report.gathering.table import Table
from benchmark.report.gathering.versions import AGAIN
from benchmark.spec import Spec
from benchmark.training.recipe import Recipe
from benchmark.training.schemes import remark_on
from benchmark.training.weights import FINETUNE

UNFINISHED = f"{IMPROVING} Still improving when training ended"
NEVER_BETTER = f"{STALLED} Never better on validation than after the first epoch"
SAID = ("optimizer", "learning_rate", "schedule", "batch_size", "epochs", "patience")
"""What every recipe says."""
CHANGED = "† Predictions changed after the run; scored from the file as it is now"


def footnotes(each: Table) -> list[Block]:
    """Why numbers are missing, changed or not ranked; each reason once, with whom it concerns."""
    together: dict[Content, list[str]] = defaultdict(list)
    for c in each.configurations:
        label = each.labels[c.key]
        for sign, seeds in (
            (UNFINISHED, c.improving_seeds),
            (NEVER_BETTER, c.stalled_seeds),
            (CHANGED, c.edited_seeds),
        ):
            if seeds:
                together[sign].append(f"{label}, seed {', '.join(map(str, seeds))}")
        for remark in _about(c, each.obstacles.get(c.key, "")):
            together[remark].append(label)
    said: list[Content] = [f"‡ {f} is not in the mean: {why}." for f, why in each.excluded.items()]
    for reason, who in together.items():
        everyone = len(who) == len(each.configurations) > 1
        said.append((reason, f": {'every configuration' if everyone else '; '.join(who)}."))
    if not each.one_training_set:
        said.append("Not all rows were trained on the same images: their manifests differ.")
    if each.environments:
        said.append(f"Trained in more than one environment: {mixed(each.environments)}.")
    return notes(said)


def _about(c: Configuration, obstacle: str) -> Iterator[Content]:
    """What is to be said of a configuration, in the order it is said in."""
    if "epochs" in c.spec.recipe:  # a model that sees no image is not trained by one
        yield trained(c.runs[0].row)
    if any(_without_auc(run.row) for run in c.runs):
        yield "No AUC on validation, so the best epoch was chosen by the loss there"
    if obstacle:
        yield f"Not ranked, {obstacle}"
    if c.external:
        yield "◊ Predictions made by another tool, read from a file"
    yield from outdated(c)
    yield from _weights(c.runs[0].row)
    lungs = c.runs[0].row.lungs
    if lungs and any(lungs.left_whole.values()):
        images = ", ".join(f"{n} in {split}" for split, n in lungs.left_whole.items())
        yield f"Images left whole, no lungs were found in them ({images})"
    yield from ensemble_remarks(c)
    yield from (_sentence(remark) for remark in c.remarks)


def _without_auc(row: Row) -> bool:
    """Whether validation had no finding with images of both kinds, in any epoch."""
    aucs = row.history.val_auc if row.history else None
    return aucs is not None and len(aucs) > 0 and all(auc is None for auc in aucs)


def outdated(c: Configuration) -> Iterator[Content]:
    """What of a configuration is not as it would be made now, without the full stop."""
    if c.stale:
        yield stale(c.stale)
    if c.remade:
        seeds = ", ".join(c.remade)
        yield _again(f"{STALE} Made from rows that have been made anew since, seed {seeds}; ")


def stale(changes: str) -> Content:
    """What is to be said of rows that another version of the code made."""
    return _again(f"{STALE} Made by another version of the code ({changes}); ")


def _again(said: str) -> Content:
    return said, Code(AGAIN), " makes them anew"


def mixed(environments: dict[str, list[str]]) -> str:
    """In what environments differ."""
    said = (f"{name} ({', '.join(of)})" for name, of in environments.items())
    return f"they differ in {', '.join(said)}"


def stopped(each: Table) -> list[Block]:
    """The specs that failed or could not run, seeds with the same reason together."""
    if not each.stopped:
        return []
    together: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in each.stopped:
        key = (each.labels[row.config_id], row.status.replace("_", " "), why_stopped(row))
        together[key].append(row.spec.seed)
    columns: list[Column[tuple[tuple[str, str, str], list[int]]]] = [
        text_column("Configuration", lambda item: item[0][0], "label"),
        Column("seeds", "Seeds", lambda item: ", ".join(map(str, sorted(item[1])))),
        text_column("Status", lambda item: item[0][1], "status"),
        text_column("Reason", lambda item: item[0][2], "reason"),
    ]
    table = DataTable.of(columns, sorted(together.items()))
    return [Paragraph("Did not finish, not ranked:"), table]


def trained(row: Row) -> str:
    """How a row was trained and with which arithmetic, in words."""
    spec, recipe = row.spec, row.spec.recipe
    if unsaid := [key for key in SAID if key not in recipe]:
        return f"Trained by a recipe that does not say its {', '.join(unsaid)}"
    where = [row.environment.backend or "backend not recorded", row.environment.device or ""]
    name = f"the recipe {recipe['name']}, " if "name" in recipe else ""
    share = f"{float(recipe.get('warmup_share', 0)):.0%}"
    warmup = f"{share} of all" if "warmup_share" in recipe else recipe.get("warmup_steps", 0)
    return (
        f"Trained by {name}{recipe['optimizer']} at {recipe['learning_rate']:g} "
        f"({recipe['schedule']}, {warmup} steps of warm-up) in batches of "
        f"{recipe['batch_size']}, at most {counted(int(recipe['epochs']), 'epoch')}, patience "
        f"{recipe['patience']}, {''.join(map('{}, '.format, _further(recipe)))}"
        f"{spec.precision} on {', '.join(filter(None, where))}"
    )


def _further(recipe: Mapping[str, Any]) -> Iterator[str]:
    """What else a recipe says, where it says it."""
    if recipe["optimizer"] == "adamw":
        decay, of = (recipe.get(key, getattr(Recipe, key)) for key in ("weight_decay", "decayed"))
        yield f"weight decay {decay:g} of {of}"
    if "label_smoothing" in recipe:
        yield f"labels smoothed by {recipe['label_smoothing']:g}"
    if epochs := recipe.get("ema_epochs"):
        yield f"weights averaged (by 1/e in {epochs:g} epoch{'s' * (epochs != 1)})"


def _weights(row: Row) -> Iterator[Content]:
    """What a reader must know of the weights that a row began with."""
    facts = row.starting_weights
    for source, licence in facts.source.items() if facts else ():
        yield f"Published weights ({source}; {licence})"
    if facts and facts.features:
        yield f"Backbone frozen, its features {facts.features}"
    if row.spec.scheme == FINETUNE:
        yield finetuned(row.spec)
    if row.penalty:
        yield from _penalised(row.penalty)
    if facts and (remark := remark_on(row.spec.scheme)):
        yield remark


def _penalised(facts: PenaltyFacts) -> Iterator[str]:
    strengths = ", ".join(f"{strength:g}" for strength in facts.strengths)
    yield f"Logistic regression, its L2 penalty the best on validation of {strengths}"
    if facts.constant:
        findings = ", ".join(facts.constant)
        yield f"Always or never present in training, so given its prevalence: {findings}"


def finetuned(spec: Spec) -> str:
    """Both stages of fine-tuning."""
    recipe = applied(spec)
    learns = spec.recipe.get("batch_norm", Recipe.batch_norm) == "training"
    return (
        f"First the head alone, for at most {counted(recipe['head_epochs'], 'epoch')} on frozen "
        f"features; then every layer at {recipe['finetune_factor']:g} of the learning rate, batch "
        "normalisation of the backbone " + ("with the rest" if learns else "as it came")
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]

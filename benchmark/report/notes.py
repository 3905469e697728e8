"""What stands below a table: footnotes, and the cells that did not finish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from benchmark.records.store import Row
from benchmark.report.ensembles import ensemble_remarks
from benchmark.report.gather import Table
from benchmark.report.text import plain, table
from benchmark.training.recipe import Recipe
from benchmark.training.weights import FINETUNE


def footnotes(each: Table) -> list[str]:
    """Why numbers are missing, changed or not ranked; each reason once, with whom it concerns."""
    together: dict[str, list[str]] = defaultdict(list)
    for c in each.configurations:
        label = each.labels[c.config_id]
        if "epochs" in c.cell["recipe"]:  # a model that sees no image is not trained by one
            together[trained(c.cell)].append(label)
        if c.config_id in each.obstacles:
            together[f"Not ranked, {plain(each.obstacles[c.config_id])}"].append(label)
        if c.external:
            together["◊ Predictions made by another tool, read from a file"].append(label)
        if c.edited_seeds:
            changed = "† Predictions changed after the run; scored from the file as it is now"
            seeds = ", ".join(map(str, c.edited_seeds))
            together[changed].append(f"{label}, seed {seeds}")
        for remark in _weights(c.runs[0].row):
            together[remark].append(label)
        left_whole = c.runs[0].row.get("lungs", {}).get("left_whole", {})
        if any(left_whole.values()):
            images = ", ".join(f"{n} in {split}" for split, n in left_whole.items())
            together[f"Images left whole, no lungs were found in them ({images})"].append(label)
        for remark in ensemble_remarks(c):
            together[remark].append(label)
        for remark in c.remarks:
            together[_sentence(plain(remark))].append(label)
    notes = [f"‡ {plain(f)} is not in the mean: {plain(why)}." for f, why in each.excluded.items()]
    for note, who in together.items():
        everyone = len(who) == len(each.configurations) > 1
        notes.append(f"{note}: {'every configuration' if everyone else '; '.join(who)}.")
    if not each.one_training_set:
        notes.append("Not all rows were trained on the same images: their manifests differ.")
    return [f"- {note}" for note in notes] + ([""] if notes else [])


def stopped(each: Table) -> list[str]:
    """The cells that failed or could not run, seeds with the same reason together."""
    if not each.stopped:
        return []
    together: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in each.stopped:
        error = row["error"] or {}
        reason = plain(error.get("reason", "no reason recorded"))
        key = (each.labels[row["config_id"]], row["status"].replace("_", " "), reason)
        together[key].append(row["cell"]["seed"])
    rows = [
        [label, ", ".join(map(str, sorted(seeds))), status, reason]
        for (label, status, reason), seeds in sorted(together.items())
    ]
    return [
        "Did not finish, not ranked:",
        "",
        *table(["Configuration", "Seeds", "Status", "Reason"], rows, "lrll"),
    ]


def trained(cell: dict) -> str:
    """The recipe and the arithmetic of a cell, in words."""
    recipe = cell["recipe"]
    return (
        f"Trained by {plain(recipe['optimizer'])} at {recipe['learning_rate']:g} "
        f"({plain(recipe['schedule'])}, {recipe['warmup_steps']} steps of warm-up) in batches of "
        f"{recipe['batch_size']}, at most {recipe['epochs']} epochs, patience "
        f"{recipe['patience']}, {plain(cell['precision'])} on {plain(cell['backend'])}, "
        f"{plain(cell['device'])}"
    )


def _weights(row: Row) -> Iterator[str]:
    """What a reader must know of the weights that a cell began with."""
    facts, recipe = row.get("weights", {}), row["cell"]["recipe"]
    for source, licence in facts.get("source", {}).items():
        yield f"Published weights ({plain(source)}; {plain(licence)})"
    if "features" in facts:
        yield f"Backbone frozen, its features {plain(facts['features'])}"
    if row["cell"]["weights"] == FINETUNE:
        epochs = recipe.get("head_epochs", Recipe.head_epochs)
        factor = recipe.get("finetune_factor", Recipe.finetune_factor)
        yield (
            f"First the head alone, for at most {epochs} epochs on frozen features; then every "
            f"layer at {factor:g} of the learning rate, batch normalisation of the backbone as it "
            "came"
        )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]

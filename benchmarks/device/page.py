"""The figures of ``benchmarks/device.sh`` as a page of Markdown, of one or several calls.

    python -m benchmarks.device.page first/device.json second/device.json > benchmarks/DEVICE.md

Where two calls measured the same, the one named later counts.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from benchmarks.device.child import ERROR

HEAD = """# On an accelerator

Measured by `benchmarks/device.sh` on {date}: {card}; {cores} cores of {cpu}, {memory} GB;
{packages}; code: {code}.
A step is timed on noise in memory; the pneumonia set is real.
"""
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "jaxlib", "torch", "numpy")
KINDS = ("bare step", "fit, pipeline", "fit, pipeline, 8 at once", "fit, NumPy feed",
         "input alone, none", "input alone, standard")  # fmt: skip


def page(files: list[dict]) -> str:
    """All parts that there are."""
    found: dict[str, dict] = {}
    for file in files:
        for part, findings in file["parts"].items():
            found.setdefault(part, {}).update(findings)
    sections = [_head(files[0]["made"], found), *(make(found) for make in SECTIONS)]
    return "\n".join(section for section in sections if section).rstrip() + "\n"


def _head(made: dict, found: dict) -> str:
    told = [f for name, f in found.get("facts", {}).items() if name.endswith("versions")]
    if not told:
        raise SystemExit("no facts of the machine: call benchmarks/device.sh --only facts-jax, too")
    facts, packages = told[0], {k: v for f in told for k, v in f["packages"].items()}
    return HEAD.format(
        date=made["date"],
        card=made["card"] or "no accelerator",
        cores=facts["cores"],
        cpu=facts["cpu"],
        memory=facts["memory_gb"],
        packages=", ".join(f"{k} {packages[k]}" for k in PACKAGES if k in packages),
        code=made["code"] or "not said",
    )


def _steps(found: dict) -> str:
    """A line for each case and backend."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for name, told in found.get("steps", {}).items():
        backend, _, rest = name.partition(" ")
        case, _, kind = rest.partition(" ")
        cells.setdefault((case, backend), {})[kind] = _cell(told)
    lines = [
        [case, backend, *(cell.get(kind, "") for kind in KINDS), cell.get(PEAK, "")]
        for (case, backend), cell in cells.items()
        if case != "process"
    ]
    head = ["network @ px x images", "backend", *KINDS, "peak MiB of the process so far"]
    return _table("Milliseconds a step", head, lines)


PEAK = "peak memory of the process"


def _cell(told: dict) -> str:
    if ERROR in told:
        return "refused" if "must be 1" in told[ERROR] else "failed"
    if "ms" in told:
        compiled = f", first {told['first_step_s']:.1f} s" if "first_step_s" in told else ""
        return f"{told['ms']:.2f} ({told['images_per_s']:,}/s{compiled})"
    return f"{told['peak_mib']:,}" if told.get("peak_mib") else ""


def _auc(found: dict) -> str:
    lines = [
        [run.removesuffix(" run"), row["seed"], _number(row.get("auc")),
         _number(row.get("committed_auc")), (row.get("predictions_sha256") or "")[:12],
         f"{row['phases'].get('train', 0):.1f}"]
        for run, told in found.get("auc", {}).items()
        for row in told.get("rows", ())
    ]  # fmt: skip
    head = ["run", "seed", "test AUC", "committed row (CPU)", "predictions", "train s"]
    return _table("Pneumonia, cnn at 64 px: AUC and bits", head, lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _workers(found: dict) -> str:
    lines = [
        [name, told["specs"], told["specs_a_minute"], told["specs_a_minute_later"],
         f"{told['card_mib']:,}", told["main_process_mib"]]
        for name, told in found.get("workers", {}).items()
        if "specs" in told
    ]  # fmt: skip
    head = ["workers", "specs", "specs a minute", "once all have begun", "MiB of the card",
            "MiB of the main process"]  # fmt: skip
    return _table("Specs a minute, cnn at 64 px, 3 epochs", head, lines)


def _memory(found: dict) -> str:
    lines = [
        [name.removesuffix(" run"), row["spec"], row["images_at_a_time"], row["status"],
         row.get("reason", "")[:160].replace("\n", " ").replace("|", "/")]
        for name, told in found.get("memory", {}).items()
        for row in told.get("rows", ())
    ]  # fmt: skip
    head = ["backend", "spec", "images at a time", "status", "reason"]
    return _table("A spec that does not fit, and what follows", head, lines)


def _float32(found: dict) -> str:
    lines = [
        [name, f"{told['matmul']:.1e}", f"{told['conv']:.1e}", "yes" if told["ieee"] else "**no**"]
        for name, told in found.get("facts", {}).items()
        if "matmul" in told
    ]
    head = ["", "matrix product", "convolution", "IEEE single"]
    return _table("float32: relative error beside float64", head, lines)


def _faults(found: dict) -> str:
    """Whatever failed, in a line each."""
    lines = [
        [part, name, re.sub(r"[|\s]+", " ", told[ERROR])[:200]]
        for part, findings in found.items()
        for name, told in findings.items()
        if ERROR in told
    ]
    return _table("What failed or was refused", ["part", "what", "error"], lines)


SECTIONS = (_float32, _steps, _auc, _workers, _memory, _faults)


def _table(title: str, head: list[str], lines: list[list]) -> str:
    if not lines:
        return ""
    rows = [head, ["--"] * len(head), *lines]
    return f"## {title}\n\n" + "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)


def main() -> None:
    """Print the page of the files that are named."""
    print(page([json.loads(Path(name).read_text()) for name in sys.argv[1:]]), end="")


if __name__ == "__main__":
    main()

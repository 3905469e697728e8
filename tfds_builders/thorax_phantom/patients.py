"""Who is in the simulated set: patients, their illnesses, and what each visit shows.

Illnesses come from a few hidden causes (heart failure, infection, cancer, airway disease), so that
findings occur together as they do in a hospital. Age, sex and projection follow mildly: enough for
a model that sees only those to beat chance, far too little to compete with the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .streams import stream

FINDINGS = (
    "Consolidation",
    "Effusion",
    "Lung Metastasis",
    "Nodule",
    "Cardiomegaly",
    "Pneumothorax",
    "Edema",
)
VIEWS = ("PA", "AP", "L")


@dataclass(frozen=True)
class Patient:
    """One simulated person. `illnesses`: finding -> lasting severity in (0, 1]."""

    seed: int
    name: str
    age: int
    sex: str
    n_images: int
    illnesses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Visit:
    """One exposure: age then, projection, and finding -> severity in (0, 1] on that day."""

    age: int
    view: str
    findings: Mapping[str, float]


def draw_patient(
    seed: int,
    name: str,
    *,
    age: int | None = None,
    sex: str | None = None,
    n_images: int | None = None,
    findings: tuple[str, ...] | None = None,
) -> Patient:
    """Patient `name` of cohort `seed`; what is given is taken instead of drawn.

    Args:
        seed: the cohort.
        name: the patient's identity; with the seed it fixes everything else.
        age: years, else 18 to 92.
        sex: "F" or "M".
        n_images: else 1 to 4, three on average.
        findings: what the patient suffers from, empty for a healthy one.

    Raises:
        ValueError: a finding the simulation does not know.
    """
    rng = stream(seed, name, "patient")
    drawn_age = int(np.clip(rng.normal(56, 17), 18, 92))
    drawn_sex = "F" if rng.random() < 0.47 else "M"
    drawn_images = int(rng.choice(4, p=(0.08, 0.22, 0.32, 0.38))) + 1
    age = drawn_age if age is None else age
    sex = drawn_sex if sex is None else sex
    drawn = _draw_illnesses(rng, age, sex)
    if findings is not None:
        known(findings)
        drawn = {name: drawn.get(name, _severity(rng)) for name in FINDINGS if name in findings}
    return Patient(seed, name, age, sex, n_images or drawn_images, drawn)


def draw_visit(patient: Patient, index: int, view: str | None = None) -> Visit:
    """What exposure `index` of `patient` shows; `view` fixes the projection.

    A lasting illness is there on four visits of five and waxes and wanes.
    """
    rng = stream(patient.seed, patient.name, "visit", index)
    findings = {}
    for name in FINDINGS:
        present, change = rng.random() < 0.8 or index == 0, rng.normal(0, 0.12)
        if present and name in patient.illnesses:
            findings[name] = float(np.clip(patient.illnesses[name] + change, 0.05, 1.0))
    lateral, bedside = rng.random(2)
    unwell = 0.16 + 0.08 * len(findings) + 0.16 * ("Edema" in findings) + 0.002 * (patient.age - 56)
    drawn = "L" if lateral < 0.12 else "AP" if bedside < unwell else "PA"
    return Visit(patient.age + index // 2, view or drawn, findings)


def known(findings: tuple[str, ...]) -> None:
    """Refuse names that are not in `FINDINGS`."""
    for name in findings:
        if name not in FINDINGS:
            raise ValueError(f"unknown finding {name!r}; the phantom has {', '.join(FINDINGS)}")


def _draw_illnesses(rng: np.random.Generator, age: int, sex: str) -> dict[str, float]:
    failure = rng.random() < 0.22 + 0.005 * (age - 56)
    infection = rng.random() < 0.21
    cancer = rng.random() < 0.17 + 0.004 * (age - 56)
    airway = rng.random() < 0.13 + (0.08 if sex == "M" else 0.0) - 0.002 * (age - 56)
    odds = {
        "Consolidation": 0.06 + 0.72 * infection + 0.05 * failure,
        "Effusion": 0.07 + 0.40 * failure + 0.22 * infection + 0.28 * cancer,
        "Lung Metastasis": 0.05 + 0.62 * cancer,
        "Nodule": 0.20 + 0.12 * cancer,
        "Cardiomegaly": 0.12 + 0.55 * failure,
        "Pneumothorax": 0.10 + 0.55 * airway,
        "Edema": 0.05 + 0.62 * failure,
    }
    draws = rng.random(len(FINDINGS))
    found = {f: _severity(rng) for f, u in zip(FINDINGS, draws, strict=True) if u < odds[f]}
    if "Lung Metastasis" in found:
        found.pop("Nodule", None)  # one nodule among many is no separate label
    return found


def _severity(rng: np.random.Generator) -> float:
    return float(0.15 + 0.85 * rng.beta(1.7, 1.8))

"""How many patients images are of, where that is known."""

from __future__ import annotations

from benchmark.report.blocks.text import counted


def of_patients(patients: int, *, unknown: bool) -> str:
    """`` of 403 patients``, to stand behind a number of images; nothing where nobody counted.

    Args:
        patients: as counted.
        unknown: nobody knows which images are of one patient, and each was counted as one.
    """
    if not patients:
        return ""
    return " of an unknown number of patients" if unknown else f" of {counted(patients, 'patient')}"

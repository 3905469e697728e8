"""What is to be predicted: a vector of findings, whatever the data set."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("binary", "multilabel", "multiclass")


@dataclass(frozen=True)
class Task:
    """A classification task.

    Attributes:
        findings: names of the outputs, in order; one for a binary task.
        kind: ``"binary"``, ``"multilabel"`` (independent findings) or ``"multiclass"`` (exactly
            one finding per image).
    """

    findings: tuple[str, ...]
    kind: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"task kind {self.kind!r} is not one of {', '.join(KINDS)}")
        if not self.findings or (self.kind == "binary") != (len(self.findings) == 1):
            raise ValueError(f"a {self.kind} task cannot have {len(self.findings)} finding(s)")

    @property
    def n_outputs(self) -> int:
        """Number of findings, the width of every target, logit and probability array."""
        return len(self.findings)

    @property
    def exclusive(self) -> bool:
        """True where exactly one finding holds per image, so that probabilities sum to one."""
        return self.kind == "multiclass"


LUNG = Task(("lung",), "binary")
"""What a segmentation network says of every pixel of a radiograph."""

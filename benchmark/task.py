"""What is to be predicted: a vector of findings, whatever the data set."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.errors import UnknownName, UserError

KINDS = ("binary", "multilabel", "multiclass")
_KINDS = (
    "binary is one finding, multilabel several that may occur together, multiclass several that "
    "exclude each other"
)


@dataclass(frozen=True)
class Task:
    """A classification task.

    Attributes:
        findings: names of the outputs, in order; one for a binary task.
        kind: ``"binary"``, ``"multilabel"`` (independent findings) or ``"multiclass"`` (exactly
            one finding per image).

    Raises:
        UnknownName: there is no such kind.
        UserError: the findings are no names, one is there twice, or they are not as many as the
            kind has.
    """

    findings: tuple[str, ...]
    kind: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName("kind of task", str(self.kind), KINDS)
        found = self.findings
        names = isinstance(found, tuple) and all(isinstance(name, str) and name for name in found)
        if not names or len({*found}) < len(found):
            raise UserError(
                "the findings of a task are a tuple of names, each there once, as in "
                f"Task(('Effusion', 'Mass'), 'multilabel'), not {found!r}"
            )
        if not found or (self.kind == "binary") != (len(found) == 1):
            raise UserError(f"a {self.kind} task cannot have {len(found)} finding(s): {_KINDS}")

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

"""Where rows were made: machines in words, and in what the environments of rows differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.records.row import Row
from benchmark.records.run_facts import Accelerator, EnvironmentFacts, Speed

PACKAGES = ("keras", "tensorflow", "jax", "jaxlib", "torch", "numpy")
"""Those whose versions can show in numbers."""


@dataclass(frozen=True)
class Machine:
    """What a run was made on, as far as it was recorded.

    Attributes:
        cpu: its name.
        cores, memory_gb: of the machine.
        accelerator: number and name of the accelerators.
        sharing: specs that had these at the same time, where there were several: the same
            accelerators, and other times.
    """

    cpu: str | None
    cores: int | None
    memory_gb: int | None
    accelerator: str | None
    sharing: int | None = None

    @classmethod
    def of(cls, environment: EnvironmentFacts, speed: Speed | None = None) -> Machine:
        """The machine of an environment, and of a row's speed."""
        accelerator = accelerator_name(environment.accelerator)
        sharing = speed.sharing if speed and speed.sharing > 1 else None
        return cls(environment.cpu, environment.cores, environment.memory_gb, accelerator, sharing)

    @property
    def words(self) -> list[str]:
        """What is known of it, in words."""
        cores = None if self.cores is None else f"{self.cores} core{'s' * (self.cores != 1)}"
        memory = None if self.memory_gb is None else f"{self.memory_gb} GB"
        shared = None if self.sharing is None else f"shared by {self.sharing} specs"
        said = (self.cpu, cores, memory, self.accelerator, shared)
        return [text for text in said if text is not None]

    def __str__(self) -> str:
        return ", ".join(self.words) or "not known"

    def as_dict(self) -> dict[str, int | str]:
        """What is known of it, by name."""
        return {key: value for key, value in sorted(vars(self).items()) if value is not None}


def accelerator_name(accelerator: Accelerator | None) -> str | None:
    """``"2 x NVIDIA H100"``, or the mere name of a single one."""
    if accelerator is None:
        return None
    many = f"{accelerator.count} x " if accelerator.count > 1 else ""
    return many + accelerator.name


def differences(rows: Iterable[Row]) -> dict[str, list[str]]:
    """In what the environments of rows that train networks differ, and the values in use.

    What a row does not tell counts as no difference.
    """
    found: dict[str, set[str]] = {}
    for row in rows:
        if row.done and row.spec.recipe:
            for name, value in _compared(row.environment).items():
                if value is not None:
                    found.setdefault(name, set()).add(str(value))
    return {name: sorted(values) for name, values in found.items() if len(values) > 1}


def _compared(environment: EnvironmentFacts) -> dict[str, str | int | None]:
    packages = environment.packages
    if "tensorflow" not in packages and "tensorflow-cpu" in packages:  # the same under two names
        packages = packages | {"tensorflow": packages["tensorflow-cpu"]}
    return {
        "backend": environment.backend,
        "device": environment.device,
        "accelerator": accelerator_name(environment.accelerator),
        "cpu": environment.cpu,
        "threads": environment.threads,
        "devices": environment.devices,
        **{name: packages[name] for name in PACKAGES if name in packages},
    }

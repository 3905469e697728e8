"""How far every configuration is behind the best of its table, and whether that is chance."""

from __future__ import annotations

from benchmark.report.gather import Table
from benchmark.report.text import interval, number, p_value, table


def differences(each: Table) -> list[str]:
    """Markdown lines; none where fewer than two configurations are ranked."""
    if not each.behind:
        return []
    leader = each.groups[0][0]
    rows = [
        [each.labels[key], number(c.difference, sign=True), interval(*c.interval), p_value(p)]
        for key, (c, p) in each.behind.items()
    ]
    return [
        f"AUC of {each.labels[leader.key]}, the best, minus that of the others:",
        "",
        *table(["Configuration", "Difference", "95 % interval", "p (Holm)"], rows, "lrrr"),
    ]

"""What stands for a framework on a machine with three GPUs: two of them old, one with bfloat16."""

from __future__ import annotations

TENSORFLOW = """
CARDS = [("Old", (7, 0)), ("Old", (7, 5)), ("New", (8, 0))]

class config:
    list_physical_devices = staticmethod(lambda kind: CARDS if kind == "GPU" else [])

    class experimental:
        @staticmethod
        def get_device_details(card):
            return {"device_name": card[0], "compute_capability": card[1]}
"""
JAX = """
class Card:
    def __init__(self, device_kind, compute_capability):
        self.device_kind, self.compute_capability = device_kind, compute_capability

def devices(kind):
    if kind != "gpu":
        raise RuntimeError(f"Unknown backend {kind}")
    return [Card("Old", "7.0"), Card("Old", "7.5"), Card("New", "8.0")]
"""
TORCH = """
CARDS = [("Old", (7, 0)), ("Old", (7, 5)), ("New", (8, 0))]

class cuda:
    device_count = staticmethod(lambda: 3)
    get_device_name = staticmethod(lambda i: CARDS[i][0])
    get_device_capability = staticmethod(lambda i: CARDS[i][1])
"""
FRAMEWORKS = {"tensorflow": TENSORFLOW, "jax": JAX, "torch": TORCH}

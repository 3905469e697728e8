"""How figures look and are saved, and what several places draw."""

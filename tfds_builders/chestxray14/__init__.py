"""NIH ChestX-ray14, Wang et al. 2017 (see README.md)."""

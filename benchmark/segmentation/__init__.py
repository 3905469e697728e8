"""Lung fields: networks that predict a mask, and what their masks do to the images of other sets.

``mask_model`` runs one spec of a mask set with the planner, worker and results folder of every
other spec; ``train`` fits the network. ``chosen`` names the network whose masks prepare a set for a
classifier, ``lung_views`` makes those views.
"""

LUNG_VIEWS_VERSION = 1
"""Of the pixels that ``lung_views`` makes; raised when they change: every such view is then made
anew."""

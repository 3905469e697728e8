"""Lung fields: networks that predict a mask, and what their masks do to the images of other sets.

``mask_model`` runs one cell of a mask set with the planner, worker and results folder of every
other cell; ``train`` fits the network. ``chosen`` names the network whose masks prepare a set for a
classifier, ``lung_views`` makes those views.
"""

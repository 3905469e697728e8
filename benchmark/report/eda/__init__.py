"""Exploratory pages of data sets: what a set says before any model sees it."""

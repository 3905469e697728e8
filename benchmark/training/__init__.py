"""Training one model on one data set: the recipe, the loss and the fit loop."""

VERSION = 1
"""Of training itself: loss, optimiser, schedule, normalisation, the order and number of steps, the
choice of the best epoch, early stopping, frozen and fine-tuned stages, checkpoints, for classifiers
and segmentation networks alike. Raised where an existing recipe begins to give other numbers, and
only then: every row trained before is stale from then on. What has a version of its own (models,
preprocessing, augmentation, imbalance policies) raises that instead."""

LUNG_VIEWS_VERSION = 1
"""Of the pixels that ``lung_views`` makes; raised when they change: every such view is then made
anew."""

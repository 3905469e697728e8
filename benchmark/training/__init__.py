"""Training one model on one data set: the recipe, the loss and the fit loop."""

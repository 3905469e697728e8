"""Running a suite: plan what is missing, run each spec in a worker, record how it ended."""

"""Running a suite: plan what is missing, run each cell in a worker, record how it ended."""

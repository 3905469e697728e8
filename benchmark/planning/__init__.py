"""From suites to a plan: what is asked for, what is there, what comes before what."""

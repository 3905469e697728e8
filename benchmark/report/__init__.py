"""From rows and prediction files to a leaderboard: Markdown, CSV and JSON."""

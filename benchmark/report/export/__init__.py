"""The leaderboard as files: Markdown, CSV, JSON and LaTeX, numbers unrounded."""

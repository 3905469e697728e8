"""What stands in the leaderboard, one below the other: each section as blocks."""

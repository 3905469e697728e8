"""What each command does and tells the user, one file a command; ``cli.py`` only parses."""

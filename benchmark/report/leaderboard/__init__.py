"""Everything a results folder says, what comes first of it, and all of it as a document."""

"""The machine that a spec is run on: what computes, and its memory."""

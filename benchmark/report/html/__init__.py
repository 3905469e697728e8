"""The results folder as a site of static pages that open from disk, without a network."""

"""A document as data: words, values, tables of them, and how numbers read."""

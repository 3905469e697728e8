"""Tables and blocks as Markdown, HTML, CSV and LaTeX: four writers of the same data."""

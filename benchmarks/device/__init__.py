"""What a machine with an accelerator does with this package; see ``__main__.py``."""

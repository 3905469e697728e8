"""A person's own set of chest X-rays: class folders, or images and a table (see README.md)."""

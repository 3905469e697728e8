"""PadChest: 160,000 radiographs of a Spanish hospital with 174 findings (see README.md)."""

"""Pediatric pneumonia radiographs of Kermany et al. 2018 (see README.md)."""

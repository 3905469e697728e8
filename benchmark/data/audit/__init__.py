"""What is wrong with a prepared set: the leakage and quality audit, one question a file.

==================  ===============================================================================
``texture.py``      64 px images as local contrast, and windows of them on a small grid
``borders.py``      images without the border they were padded with
``candidates.py``   perceptual hashes of all images; which pairs could show the same radiograph
``confirm.py``      registration and correlation of those pairs: which ones do
``copies.py``       both over a prepared set, once per manifest; the result is stored beside it
``between.py``        both between two sets: test images of the one that the other shows, too
``duplicates.py``   identical files and pixels, groups of the same image, conflicting labels
``patients.py``      patients on both sides of a split, by finding
``prevalence.py``   findings that are more frequent in one split than in another
``plausibility.py`` impossible ages, unknown words for sex and view, patients of two sexes
``findings.py``     all of it as one dictionary
==================  ===============================================================================

The leakage status itself is found in :mod:`benchmark.data.leakage`.
"""

#: Raise when the copies found in the same images change: stored results are then made anew.
AUDIT_VERSION = 5

"""The scales looked at. Finer ones cost most and match by chance (measured), so nothing is enlarged."""

LAYERS = 2
"""Differences of Gaussians an octave whose extrema are keypoints."""
BASE_SIGMA = 0.8
"""Blur of the finest level, in pixels of the working picture."""

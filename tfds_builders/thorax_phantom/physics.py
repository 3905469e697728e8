"""From line integrals to grey values: Beer-Lambert, scatter, quantum noise, display."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

# Linear attenuation in 1/cm near 65 keV (after NIST XCOM), lungs at a quarter of the density.
SOFT = 0.20
LUNG = 0.052
BONE = 0.45  # excess of mineral over the soft tissue it replaces
SPONGE = 0.05  # the same for the spongy inside of a vertebra
LEAD = 3.0  # line integral of a lead marker
OPEN = 1.0  # a log signal below this is air outside the body


@dataclass(frozen=True)
class Exposure:
    """Settings of one exposure and of its display.

    photons: detected per cm^2 on average; scatter: ratio of scattered to primary signal;
    equalise: share of slow shading taken out by the processing; contrast, brightness: of the
    display curve.
    """

    photons: float
    scatter: float
    equalise: float
    contrast: float
    brightness: float


def draw_exposure(rng: np.random.Generator, view: str) -> Exposure:
    """Settings as they vary from film to film; bedside films get less dose and no grid."""
    bedside = view == "AP"
    return Exposure(
        photons=(2.5e5 if bedside else 6e5) * np.exp(rng.normal(0, 0.35)),
        scatter=float(rng.uniform(0.8, 1.4) if bedside else rng.uniform(0.5, 0.85)),
        equalise=float(rng.uniform(0.4, 0.6)),
        contrast=float(np.exp(rng.normal(0, 0.10))),
        brightness=float(rng.normal(0, 0.16)),
    )


def expose(
    attenuation: np.ndarray, pixel: float, setting: Exposure, rng: np.random.Generator
) -> np.ndarray:
    """Detector signal (S, S), 1 in the open beam, behind the line integrals `attenuation` (S, S).

    Scatter is a broad blur of the primary signal (5 cm), noise is Poisson in its Gaussian limit.
    """
    primary = np.exp(-attenuation)
    signal = primary + setting.scatter * blur(primary, 6.0 / pixel)
    spread = np.sqrt(signal * (signal.mean() / (setting.photons * pixel**2)))
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    return np.maximum(signal + spread * noise, 1e-5)


def display(signal: np.ndarray, pixel: float, setting: Exposure, bits: int) -> np.ndarray:
    """Grey values (S, S), bright where little arrives: uint8, or uint16 above 8 bits.

    Logarithm, partial removal of slow shading, a window from the middle of the film, and a
    sigmoid film curve.
    """
    density = -np.log(signal)
    inside = density > OPEN
    density -= setting.equalise * blur(density, 4.0 / pixel)
    size = len(density)
    middle = slice(size // 8, -size // 8)
    low, high = np.percentile(density[middle, middle][inside[middle, middle]], (12.0, 96.0))
    place = (density - low) / (high - low) - 0.5
    curve = 1 / (1 + np.exp(-(3.3 * setting.contrast * place + 0.4 + setting.brightness)))
    return np.round(curve * (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of `sigma` pixels with mirrored edges."""
    wave = [np.exp(-0.5 * (np.pi * np.arange(n) / n * sigma) ** 2) for n in image.shape]
    return fft.idctn(fft.dctn(image) * wave[0][:, None] * wave[1])

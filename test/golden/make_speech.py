"""Makes test/golden/speech/features.json with torchaudio, in float64: filter banks, cepstra, spectra and deltas of made-up sounds, by its
copy of Kaldi's features and by its own transforms. Run with torchaudio 2.11 (pip install torch==2.11.0 torchaudio==2.11.0):
python test/golden/make_speech.py
"""

import json
import pathlib

import numpy as np
import torch
import torchaudio
from torchaudio.compliance import kaldi

FILE = pathlib.Path(__file__).parent / "speech" / "features.json"
RATE = 8000


def sound(samples, rate, seed):
    """Whole numbers of 16 bits: a level, two tones, one of which rises, and noise."""
    random = np.random.default_rng(seed)
    t = np.arange(samples) / rate
    tones = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * (600 * t + 9000 * t**2))
    return np.round(32768 * (0.01 + tones + 0.01 * random.standard_normal(samples))).astype(int)


SOUNDS = [sound(900, RATE, 1), sound(1250, 16_000, 2)]


def numbers(x):
    return [float(f"{value:.9g}") for value in x.flatten().tolist()]


def case(name, layer, options, x, which=0):
    return {
        "name": name,
        "layer": layer,
        "options": options,
        "sound": which,
        "shape": list(x.shape),
        "data": numbers(x),
    }


def by_kaldi(layer, ours, theirs, which=0):
    """Of whole numbers, as Kaldi reads them."""
    rate = [RATE, 16_000][which]
    wave = torch.tensor(SOUNDS[which], dtype=torch.float64)[None]
    of = {"filterBanks": kaldi.fbank, "mfcc": kaldi.mfcc}[layer]
    x = of(wave, sample_frequency=float(rate), dither=0.0, **theirs)
    options = {"convention": "kaldi", "rate": rate, **ours}
    return case(f"kaldi {layer} {json.dumps(ours)}", layer, options, x, which)


def by_transform(layer, ours, make):
    wave = torch.tensor(SOUNDS[0], dtype=torch.float64)[None] / 32768
    x = make(wave)[0].T
    return case(f"torchaudio {layer} {json.dumps(ours)}", layer, {"convention": "torchaudio", "rate": RATE, **ours}, x)


def mel(**options):
    transform = torchaudio.transforms.MelSpectrogram(sample_rate=RATE, **options)
    return lambda wave: torch.log(transform(wave) + 1e-6)


def cepstra(**options):
    return torchaudio.transforms.MFCC(sample_rate=RATE, log_mels=True, **options)


def slopes():
    """Of a few rows of numbers, [D, T] there."""
    x = torch.tensor(np.random.default_rng(3).standard_normal((3, 11)))
    first = torchaudio.functional.compute_deltas(x[None])[0]
    second = torchaudio.functional.compute_deltas(first[None])[0]
    made = case("deltas", "deltas", {}, torch.cat([x, first, second]).T)
    return {**made, "x": numbers(x.T)}


def cases():
    warp = {"factor": 0.9, "low": 100, "high": 3500}
    yield by_kaldi("filterBanks", {}, {})
    yield by_kaldi("filterBanks", {}, {}, 1)
    yield by_kaldi("filterBanks", {"filters": 40, "low": 100, "high": 3800}, dict(num_mel_bins=40, low_freq=100.0, high_freq=-200.0))
    yield by_kaldi("filterBanks", {"edges": "reflect"}, dict(snip_edges=False))
    yield by_kaldi("filterBanks", {"energy": "raw"}, dict(use_energy=True))
    yield by_kaldi("filterBanks", {"energy": "windowed"}, dict(use_energy=True, raw_energy=False))
    yield by_kaldi("filterBanks", {"power": 1}, dict(use_power=False))
    for ours, theirs in {"hann": "hanning", "hamming": "hamming", "blackman": "blackman", "rectangular": "rectangular"}.items():
        yield by_kaldi("filterBanks", {"window": ours}, dict(window_type=theirs))
    yield by_kaldi("filterBanks", {"preEmphasis": 0, "removeMean": False}, dict(preemphasis_coefficient=0.0, remove_dc_offset=False))
    yield by_kaldi("filterBanks", {"warp": warp}, dict(vtln_warp=0.9, vtln_low=100.0, vtln_high=-500.0))
    yield by_kaldi("filterBanks", {"frameLength": 20, "frameShift": 7.5}, dict(frame_length=20.0, frame_shift=7.5))
    yield by_kaldi("mfcc", {"zeroth": "c0"}, {})
    yield by_kaldi("mfcc", {}, dict(use_energy=True))
    yield by_kaldi("mfcc", {"zeroth": "c0", "coefficients": 20, "lifter": 0}, dict(num_ceps=20, cepstral_lifter=0.0))
    yield by_transform("spectrogram", {}, torchaudio.transforms.Spectrogram(n_fft=200))
    yield by_transform("spectrogram", {"power": 1, "points": 256}, torchaudio.transforms.Spectrogram(n_fft=256, win_length=200, hop_length=100, power=1.0))
    yield by_transform("filterBanks", {"filters": 20}, mel(n_fft=200, n_mels=20))
    yield by_transform("filterBanks", {"filters": 24, "points": 256, "frameShift": 10, "low": 60, "high": 3800}, mel(n_fft=256, win_length=200, hop_length=80, n_mels=24, f_min=60.0, f_max=3800.0))
    yield by_transform("filterBanks", {"filters": 20, "mel": "slaney", "sameArea": True, "power": 1}, mel(n_fft=200, n_mels=20, mel_scale="slaney", norm="slaney", power=1.0))
    yield by_transform("filterBanks", {"filters": 20, "edges": "inside"}, mel(n_fft=200, n_mels=20, center=False))
    yield by_transform("mfcc", {"filters": 20, "coefficients": 13}, cepstra(n_mfcc=13, melkwargs=dict(n_fft=200, n_mels=20)))
    yield slopes()


def main():
    torch.set_default_dtype(torch.float64)
    lines = ",\n".join(json.dumps(item) for item in cases())
    sounds = ",\n".join(json.dumps(one.tolist()) for one in SOUNDS)
    FILE.write_text(f'{{"sounds": [\n{sounds}\n], "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()

"""A made-up clip with a fault of known place, as two detectors might see it."""

from __future__ import annotations

import numpy as np

from soundproof.illustrations.table import Illustration
from soundproof.storage.maps import Axes

MEL = tuple(float(f) for f in 700 * (10 ** (np.linspace(60, 2800, 32) / 2595) - 1))


def illustration(
    detector: str = "ae", *, n_frames: int = 160, machine: str = "fan", clip_id: str = "fan_bearing_007"
) -> Illustration:
    rng = np.random.default_rng(3)
    shape = (len(MEL), n_frames)
    harmonics = 12 * np.exp(-(((np.arange(shape[0])[:, np.newaxis] % 8) - 3) ** 2) / 2)
    normal = harmonics - 8 + rng.normal(0, 1.5, shape)
    mask = np.zeros(shape, dtype=bool)
    mask[18:26, 60:100] = True
    features = normal + 9 * mask * rng.uniform(0.5, 1, shape)
    reconstruction = harmonics - 8 + rng.normal(0, 0.4, shape)
    error = (features - reconstruction) ** 2
    blurred = error + rng.normal(0, 12, shape)
    hidden = np.kron(rng.random((shape[0] // 4, n_frames // 4)) < 0.3, np.ones((4, 4), dtype=bool))
    curve = error.sum(axis=0)
    replaced = np.repeat([False, True, False], [64, 32, n_frames - 96])
    return Illustration(
        clip_id=clip_id,
        machine=machine,
        detector=detector,
        axes=Axes(MEL, 40.0, n_frames, "dB"),
        input=features,
        masked_input=np.where(hidden, 0.0, features) if detector == "mae" else None,
        reconstruction=reconstruction,
        maps={
            "error_map": error,
            "saliency": np.abs(blurred),
            "integrated_gradients": blurred,
            "smooth_grad": np.abs(blurred) ** 0.7,
            "grad_cam": np.kron(rng.normal(size=(4, 20)), np.ones((8, n_frames // 20))),
            "gradient_shap": blurred + rng.normal(0, 20, shape),
            "random_map": rng.random(shape),
        },
        curve=curve,
        replaced_input=np.where(replaced, reconstruction, features),
        events=((1.5, 2.5),),
        mask=mask,
    )

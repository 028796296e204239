import math

import numpy as np
import pytest
import torch
from detector_toys import build, n_parameters, noise
from scipy import signal
from torch import nn

from soundproof.core.errors import ConfigError
from soundproof.detectors.embedding.featex.blocks import ResidualBlock, SameConv2d
from soundproof.detectors.embedding.featex.branches import SpectrumBranch, spectrum, spectrum_layers


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def block(inputs, outputs, norms=2):
    """Norm(s), two 3x3 convolutions, squeeze-excitation to a sixteenth and back, shortcut where it widens."""
    shortcut = inputs * outputs if inputs != outputs else 0
    squeeze = 2 * outputs * (outputs // 16)
    first = 2 * inputs if norms == 2 else 0
    return first + 9 * inputs * outputs + 2 * outputs + 9 * outputs * outputs + squeeze + shortcut


def test_stft_branch_is_as_large_as_the_published_one():
    detector = build("featex", (513, 561))
    widening = [block(a, b) + block(b, b) for a, b in ((16, 32), (32, 64), (64, 128))]
    blocks = block(16, 16, norms=1) + block(16, 16) + sum(widening)
    # 513 bins: 257 after the convolution, 128 after an unpadded pooling, 16 after three halvings
    norm, stem, last_norm, embedding = 2 * 513, 7 * 7 * 16 + 2 * 16, 2 * 16 * 128, 16 * 128 * 128
    assert n_parameters(detector.stft) == norm + stem + blocks + last_norm + embedding == 972_530


def test_spectrum_branch_is_as_large_as_the_published_one():
    assert n_parameters(SpectrumBranch(144_000, 1.0)) == 1_711_104


def test_a_convolution_in_steps_of_two_meets_the_cells_of_a_pooling():
    conv = SameConv2d(1, 1, 3, 2)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, :, 0] = torch.tensor([100.0, 10.0, 1.0])
    # six rows: one zero at the end, so that output i begins with row 2 i; seven: one zero at either end
    even = conv(torch.arange(1.0, 7.0).view(1, 1, 6, 1).expand(1, 1, 6, 3)).detach()[0, 0, :, 1]
    odd = conv(torch.arange(1.0, 8.0).view(1, 1, 7, 1).expand(1, 1, 7, 3)).detach()[0, 0, :, 1]
    assert even.tolist() == [123, 345, 560]
    assert odd.tolist() == [12, 234, 456, 670]


def test_a_halving_block_pools_before_its_shortcut():
    halving = ResidualBlock(1, 2, 2).eval()
    with torch.no_grad():
        halving.residual[1].weight.zero_()
        halving.shortcut[1].weight.copy_(torch.tensor([1.0, -2.0]).view(2, 1, 1, 1))
    x = torch.tensor([[1.0, 2.0, 0.0], [3.0, 4.0, -1.0], [-6.0, -7.0, -5.0]])[None, None]
    out = halving(x).detach()[0] * math.sqrt(1 + 1e-5)  # the norm of a fresh network divides by this
    pooled = torch.tensor([[4.0, 0.0], [-6.0, -5.0]])
    torch.testing.assert_close(out, torch.stack([pooled, -2 * pooled]))


def test_the_shortcut_of_a_block_is_normed_too_and_the_first_block_has_no_norm_of_its_own():
    x = noise(2, 4, 5, 6)
    for first in (False, True):
        block_ = ResidualBlock(4, 4, first=first).eval()
        with torch.no_grad():
            block_.residual[1].weight.zero_()
            for norm in [m for m in block_.modules() if isinstance(m, nn.BatchNorm2d)]:
                norm.weight.fill_(3.0)
        expected = x if first else 3 * x / math.sqrt(1 + 1e-5)
        torch.testing.assert_close(block_(x).detach(), expected)


def test_the_l2_term_is_on_kernels_of_convolutions_and_dense_layers():
    detector = build("featex", (33, 24), width=0.1, l2=0.5)
    named = dict(detector.named_parameters())
    spared = {name for name in named if "weigh." in name or "norm" in name or named[name].dim() == 1}
    by_hand = 0.5 * sum(float(w.detach().square().sum()) for name, w in named.items() if name not in spared)
    assert float(detector.penalty().detach()) == pytest.approx(by_hand, rel=1e-5)
    detector.penalty().backward()
    for name, weight in named.items():
        if name in spared:
            assert weight.grad is None
        else:
            torch.testing.assert_close(weight.grad, weight.detach())  # 2 * 0.5 * w
    assert len(spared) > 10


def test_spectrum_branch_of_a_map_has_the_published_widths():
    detector = build("featex", (513, 125))
    squeeze = 2 * 128 * 8
    convolutions = 128 * 16 + 128 * 128 * 8 + 128 * 128 * 8 + 3 * squeeze
    # 513 bins in steps of 4, 4 and 2, padded: 129, 33, 17
    dense = 17 * 128 * 128 + 3 * 128 * 128 + 4 * 2 * 128
    assert n_parameters(detector.spectrum) == convolutions + dense + 128 * 128 == 615_424


@pytest.mark.parametrize(
    ("n_bins", "layers"),
    [
        (144_000, [(256, 64), (64, 32), (16, 4)]),  # as published
        (513, [(16, 4), (8, 4), (8, 2)]),
        (65, [(8, 2), (4, 2), (4, 1)]),
        (9, [(4, 1), (2, 1), (4, 1)]),
    ],
)
def test_strides_shrink_with_the_spectrum_and_kernels_with_them(n_bins, layers):
    assert spectrum_layers(n_bins) == layers


def test_18_s_leave_the_18_frames_that_the_publication_pools_over():
    detector = build("featex", (513, 561), width=0.25)
    seen = []
    detector.cam_layer.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    with torch.no_grad():
        detector.freeze().embed(noise(1, 513, 561).abs())
    assert seen == [(1, 32, 16, 18)]


@pytest.mark.parametrize("shape", [(513, 120), (257, 61), (65, 30), (16, 17), (5, 2)])
@pytest.mark.parametrize(("branches", "n_dims"), [("both", 256), ("stft", 128), ("spectrum", 128)])
def test_any_shape_is_embedded_on_the_unit_sphere(shape, branches, n_dims):
    detector = build("featex", shape, width=0.1, branches=branches).freeze()
    embedding = detector.embed(noise(3, *shape).abs())
    assert embedding.shape == (3, n_dims)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(3))
    assert (detector.cam_layer is None) == (branches == "spectrum")


def test_spectrum_is_welchs_estimate():
    samples = noise(8000).numpy()
    frequencies, density = signal.welch(samples, 16000, nperseg=512, noverlap=256, detrend=False)
    frames = torch.stft(
        torch.from_numpy(samples), 512, 256, window=torch.hann_window(512), center=False, return_complex=True
    )
    ours = spectrum(frames.abs()[None])[0].numpy()
    ratio = ours[1:-1] / np.sqrt(density[1:-1])  # the first and the last bin stand for one side only
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    assert len(ours) == len(frequencies)


def test_a_silent_map_has_a_finite_gradient():
    detector = build("featex", (33, 24), width=0.1).freeze()
    x = torch.zeros(2, 33, 24, requires_grad=True)
    detector.embed(x).square()[:, ::3].sum().backward()
    assert x.grad.isfinite().all()


def test_every_activation_is_used_once_and_not_in_place():
    detector = build("featex", (33, 24), width=0.1).freeze()
    calls = {}
    for name, module in detector.named_modules():
        if isinstance(module, (nn.ReLU, nn.Sigmoid, nn.MaxPool2d)):
            assert not getattr(module, "inplace", False)
            calls[name] = 0
            module.register_forward_hook(lambda *_, name=name: calls.update({name: calls[name] + 1}))
    detector.embed(noise(2, 33, 24).abs())
    assert set(calls.values()) == {1}


def test_nothing_but_normalisation_has_a_bias():
    for module in build("featex", (33, 24), width=0.1).modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            assert module.bias is None


def test_weights_that_leave_no_loss_are_refused():
    with pytest.raises(ConfigError, match="no loss to learn from"):
        build("featex", (33, 24), loss_weights=(0, 0, 0))
    with pytest.raises(ConfigError, match="branches: stft"):
        build("featex", (33, 24), loss_weights=(0, 0, 1), branches="stft")

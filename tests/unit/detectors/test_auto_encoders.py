import numpy as np
import pytest
import torch
from detector_toys import AUTO_ENCODERS, build, n_parameters, noise
from torch import nn

from soundproof.core.errors import ConfigError
from soundproof.detectors.reconstruction.blocks import match_channels


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("kind", "shape", "settings", "count"),
    [
        ("skip_cae_transformer", (80, 400), {}, 7_233_831),
        ("skip_cae_transformer", (80, 401), {}, 7_233_831),
        ("skip_cae", (80, 400), {}, 116_635),
        ("cae", (80, 400), {}, 110_895),
        ("dense_ae", (80, 401), {"protocol": "as_published"}, 8_347_992),
    ],
)
def test_parameter_counts_are_those_of_the_published_code(kind, shape, settings, count):
    assert n_parameters(build(kind, shape, **settings)) == count


@pytest.mark.parametrize(
    ("shape", "length", "heads"), [((80, 400), 500, 10), ((128, 312), 624, 8), ((64, 160), 160, 10)]
)
def test_token_length_and_heads_follow_the_shape(shape, length, heads):
    layer = build("skip_cae_transformer", shape).attention
    assert (layer.self_attn.embed_dim, layer.self_attn.num_heads) == (length, heads)


@pytest.mark.parametrize("kind", AUTO_ENCODERS)
@pytest.mark.parametrize("shape", [(64, 160), (128, 313), (40, 99), (48, 160), (513, 100), (16, 17)])
def test_any_shape_is_reconstructed_at_its_size(kind, shape):
    x = noise(2, *shape)
    with torch.no_grad():
        assert build(kind, shape).freeze().reconstruct(x).shape == x.shape


def test_maps_larger_than_the_token_grid_are_pooled():
    small = build("skip_cae_transformer", (32, 256), token_grid=(4, 8))
    assert small.attention.self_attn.embed_dim == 4 * 8
    x = noise(3, 32, 4, 32)
    tokens = small._tokens(x).transpose(0, 1)
    assert torch.allclose(tokens, nn.functional.adaptive_avg_pool2d(x, (4, 8)).flatten(2), atol=1e-6)
    assert small.freeze().score(noise(2, 32, 256)).shape == (2,)


@pytest.mark.parametrize("kind", ["skip_cae_transformer", "skip_cae", "cae"])
def test_maps_too_small_for_the_poolings_are_refused(kind):
    with pytest.raises(ConfigError, match="16 bands or frames"):
        build(kind, (15, 100))


@pytest.mark.parametrize("kind", AUTO_ENCODERS)
def test_score_is_the_mean_squared_error_of_each_clip(kind):
    detector = build(kind, (16, 32)).freeze()
    x = noise(3, 16, 32)
    reconstruction = detector.reconstruct(x).numpy()
    by_hand = [np.mean((reconstruction[clip] - x[clip].numpy()) ** 2) for clip in range(3)]
    np.testing.assert_allclose(detector.score(x).numpy(), by_hand, rtol=1e-5)
    np.testing.assert_allclose(detector.anomaly_map(x).mean(dim=(1, 2)).numpy(), by_hand, rtol=1e-5)


@pytest.mark.parametrize("kind", AUTO_ENCODERS)
def test_score_of_a_clip_does_not_depend_on_its_batch(kind):
    detector = build(kind, (16, 32)).freeze()
    x = noise(4, 16, 32)
    assert torch.allclose(detector.score(x)[2:3], detector.score(x[2:3]), rtol=1e-5)


@pytest.mark.parametrize("kind", AUTO_ENCODERS)
def test_gradient_of_the_score_flows_through_input_and_target(kind):
    detector = build(kind, (16, 16)).double().freeze()
    x = noise(1, 16, 16, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(detector.score, (x,), fast_mode=True)


@pytest.mark.parametrize("kind", AUTO_ENCODERS)
def test_every_activation_is_used_once_and_not_in_place(kind):
    detector = build(kind, (16, 32)).freeze()
    calls = {}
    for name, module in detector.named_modules():
        if isinstance(module, (nn.ReLU, nn.LeakyReLU, nn.MaxPool2d)):
            assert not getattr(module, "inplace", False)
            calls[name] = 0
            module.register_forward_hook(lambda *_, name=name: calls.update({name: calls[name] + 1}))
    detector.score(noise(2, 16, 32).requires_grad_())
    assert set(calls.values()) == {1}


@pytest.mark.parametrize("kind", ["skip_cae_transformer", "skip_cae", "cae"])
def test_cam_layer_is_the_last_convolution_of_the_encoder(kind):
    detector = build(kind, (80, 400))
    seen = []
    detector.cam_layer.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    with torch.no_grad():
        detector.freeze().score(noise(1, 80, 400))
    assert seen == [(1, 32, 10, 50)]


def test_frozen_weights_are_channels_last_and_score_alike():
    detector = build("skip_cae_transformer", (16, 32)).eval()
    x = noise(2, 16, 32)
    before = detector.score(x).detach()
    detector.freeze()
    assert detector.cam_layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert not any(weight.requires_grad for weight in detector.parameters())
    assert torch.allclose(detector.score(x), before, rtol=1e-5)


def test_match_channels_pads_with_zeros_and_truncates():
    x = noise(1, 2, 3, 3)
    padded = match_channels(x, 4)
    assert padded.shape == (1, 4, 3, 3)
    assert torch.equal(padded[:, :2], x)
    assert padded[:, 2:].abs().sum() == 0
    assert torch.equal(match_channels(padded, 2), x)


def test_dense_ae_as_published_shares_a_norm_and_cannot_go_below_zero():
    published = build("dense_ae", (4, 8), protocol="as_published")
    corrected = build("dense_ae", (4, 8), protocol="corrected")
    x = noise(16, 4, 8)
    published.reconstruct(x)
    corrected.reconstruct(x)
    assert [int(norm.num_batches_tracked) for norm in published.norms] == [8, 0, 0, 0, 0, 0, 0, 0]
    assert [int(norm.num_batches_tracked) for norm in corrected.norms] == [1] * 8
    assert published.freeze().reconstruct(x).min() >= 0
    assert corrected.freeze().reconstruct(x).min() < 0

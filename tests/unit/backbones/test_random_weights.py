from __future__ import annotations

import pytest
import torch
from backbone_toys import wave

from soundproof.backbones.build import build_backbone
from soundproof.backbones.registry import BackboneSettings
from soundproof.core.errors import ArtefactError
from soundproof.interfaces.backbone import Backbone

RANDOM = BackboneSettings(kind="random")


def drawn(seed: int = 0) -> Backbone:
    return build_backbone(RANDOM, (32, 24), seed)


def test_weights_follow_from_seed_and_names_alone() -> None:
    torch.manual_seed(1)
    first = drawn()
    torch.manual_seed(2)
    again = drawn()
    other = drawn(seed=1)
    for name, weight in first.named_parameters():
        assert torch.equal(weight, dict(again.named_parameters())[name])
    key = "network.conv_block3.conv2.weight"
    assert not torch.equal(first.state_dict()[key], other.state_dict()[key])
    assert first.origin is not None and other.origin is not None
    assert first.origin.sha256 != other.origin.sha256


def test_convolutions_have_the_deviation_that_keeps_variance_through_relu() -> None:
    weight = drawn().state_dict()["network.conv_block4.conv1.weight"]
    assert float(weight.std()) == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.01)


def test_channels_have_mean_0_and_deviation_1_over_the_clips_it_was_calibrated_on() -> None:
    backbone = drawn()
    clips = wave(6, 32, 24)
    backbone.calibrate(clips)
    for values in backbone(clips):
        deviation, mean = torch.std_mean(values, dim=(0, 2, 3), correction=0)
        assert float(mean.abs().max()) < 1e-4
        # a channel that never moves stays at 0
        assert torch.all((deviation - 1).abs().lt(1e-3) | deviation.lt(1e-6))
        assert (deviation > 0.5).float().mean() > 0.9


def test_batch_norm_takes_the_statistics_of_the_clips() -> None:
    backbone = drawn()
    clips = wave(6, 32, 24)
    backbone.calibrate(clips)
    state = backbone.state_dict()
    first = torch.nn.functional.conv2d(
        clips.transpose(1, 2).unsqueeze(1), state["network.conv_block1.conv1.weight"], padding=1
    )
    variance, mean = torch.var_mean(first, dim=(0, 2, 3))
    assert torch.allclose(state["network.conv_block1.bn1.running_mean"], mean, atol=1e-5)
    assert torch.allclose(state["network.conv_block1.bn1.running_var"], variance, rtol=1e-4)
    assert not any(module.training for module in backbone.modules())


def test_a_clip_has_the_same_maps_in_any_company() -> None:
    backbone = drawn()
    clips = wave(6, 32, 24)
    backbone.calibrate(clips)
    for alone, together in zip(backbone(clips[2:3]), backbone(clips), strict=True):
        assert torch.allclose(alone[0], together[2], atol=1e-4)


def test_one_that_was_not_calibrated_says_so() -> None:
    with pytest.raises(ArtefactError, match="not calibrated"):
        drawn()(wave(1, 32, 24))


def test_of_another_network() -> None:
    backbone = build_backbone(BackboneSettings(kind="random", network="efficientnet_lite0"), (32, 24), 0)
    backbone.calibrate(wave(4, 32, 24) * 30 - 60)
    assert [values.shape[1] for values in backbone(wave(1, 32, 24))] == [24, 40]

"""The adapter for transformers, in transformers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hosts.using import CHANNELS, NAMES, PYRAMID, host, images, imported, plain, same
from tests.hosts.ways import named


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The generated file, with transformers installed."""
    host("transformers")
    return imported(tmp_path_factory.mktemp("transformers"), PYRAMID, "transformers")


def test_the_backbone_is_made_of_its_configuration(generated: Any) -> None:
    from transformers import AutoBackbone, AutoConfig

    config = AutoConfig.for_model("tiny")
    assert isinstance(config, generated.TinyConfig)
    model = AutoBackbone.from_config(config).eval()
    assert isinstance(model, generated.TinyBackbone)
    assert (model.out_features, model.channels) == (NAMES, CHANNELS)
    assert same(model(images()).feature_maps, list(plain(PYRAMID)(images()).values()))


def test_features_are_chosen_by_name_or_index(generated: Any) -> None:
    maps = plain(PYRAMID)(images())
    for options in ({"out_features": ["P3", "P5"]}, {"out_indices": [0, 2]}, {"out_indices": (0, -1)}):
        model = generated.TinyBackbone(generated.TinyConfig(**options)).eval()
        assert same(model(images()).feature_maps, [maps["P3"], maps["P5"]])
        assert model.channels == [16, 16]
    with pytest.raises(ValueError, match="P9"):
        generated.TinyConfig(out_features=["P9"])


def test_outputs_in_the_forms_that_hosts_ask_for(generated: Any) -> None:
    model = generated.TinyBackbone(generated.TinyConfig(out_features=["P4"])).eval()
    assert model(images()).hidden_states is None
    assert len(model(images(), output_hidden_states=True).hidden_states) == 3
    (maps,) = model(images(), return_dict=False)
    assert len(maps) == 1
    assert len(model.forward_with_filtered_kwargs(images(), output_attentions=True).feature_maps) == 1


def test_it_is_saved_and_loaded(generated: Any, tmp_path: Path) -> None:
    model = generated.TinyBackbone(generated.TinyConfig(out_features=["P3", "P4"])).eval()
    model.model.reset(4)
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").exists()
    loaded = generated.TinyBackbone.from_pretrained(tmp_path).eval()
    assert loaded.out_features == ["P3", "P4"]
    assert same(loaded(images()).feature_maps, model(images()).feature_maps)


def test_what_a_checkpoint_lacks_starts_as_in_a_new_network(generated: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = generated.TinyBackbone(generated.TinyConfig())
    model.model.reset(4)
    with torch.no_grad():
        model.model.P3.norm.running_mean += 1
    model.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    lacking = ["model.b1.shortcut.conv.weight", "model.P4.conv.weight", "model.P4.norm.running_var"]
    kept = {name: value for name, value in tensors.items() if name not in lacking}
    assert len(tensors) - len(kept) == len([name for name in lacking if name in tensors]) > 1
    save_file(kept, tmp_path / "model.safetensors", {"format": "pt"})
    loaded = generated.TinyBackbone.from_pretrained(tmp_path).state_dict()
    fresh = generated.TinyBackbone(generated.TinyConfig()).state_dict()
    for name, value in loaded.items():
        assert torch.equal(value, kept.get(name, fresh[name])), name


def test_a_detector_of_transformers_takes_it(generated: Any) -> None:
    """RT-DETR on the network: its encoder reads three maps, and a loss reaches every parameter."""
    from transformers import RTDetrConfig, RTDetrForObjectDetection

    config = RTDetrConfig(
        backbone_config=generated.TinyConfig(), encoder_in_channels=CHANNELS, feat_strides=[8, 16, 32], num_labels=3,
        encoder_hidden_dim=16, encoder_ffn_dim=16, d_model=16, decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16,
        decoder_layers=1, num_queries=10, encoder_attention_heads=2, decoder_attention_heads=2, num_denoising=0,
        freeze_backbone_batch_norms=False,
    )  # fmt: skip
    model = RTDetrForObjectDetection(config).eval()
    output = model(images())
    assert output.logits.shape == (2, 10, 3)
    output.logits.sum().backward()
    backbone = model.model.backbone.model
    assert isinstance(backbone, generated.TinyBackbone)
    assert torch.equal(backbone.model.b0.squeeze.conv.weight, plain(PYRAMID).b0.squeeze.conv.weight)
    assert all(parameter.grad is not None for parameter in backbone.parameters())


@pytest.mark.parametrize("indices", [[0, 1, 2], [0, 2], [1]])
def test_channels_are_those_of_the_maps(generated: Any, indices: list[int], tmp_path: Path) -> None:
    """Also where maps are of different widths."""
    wide = PYRAMID.replace("level 3..5: 8", "level 3: 8, level 4: 12, level 5: 16").replace(
        "network Tiny", "network Wide"
    )
    for level, channels in ((3, 16), (4, 20), (5, 24)):
        wide = re.sub(rf"(output P{level}: .* channels) 16", rf"\1 {channels}", wide)
    module = imported(tmp_path, wide.replace("Wide", f"Wide{len(indices)}"), "transformers")
    config = getattr(module, f"Wide{len(indices)}Config")(out_indices=indices)
    model = getattr(module, f"Wide{len(indices)}Backbone")(config).eval()
    maps = model(images()).feature_maps
    assert model.channels == [x.shape[1] for x in maps] == [[16, 20, 24][i] for i in indices]


@pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed in v6:FutureWarning")
@pytest.mark.parametrize("turn_on", ["activation_checkpointing_enable", "gradient_checkpointing_enable"])
def test_checkpointing_is_turned_on_and_off(generated: Any, turn_on: str) -> None:
    model = generated.TinyBackbone(generated.TinyConfig()).train()
    assert not model.gradient_checkpointing
    getattr(model, turn_on)()
    every = [part for part in model.modules() if "forward" in vars(part)]
    assert model.gradient_checkpointing
    model.activation_checkpointing_enable(every_n_layers=2)
    assert len([part for part in model.modules() if "forward" in vars(part)]) == -(-len(every) // 2)
    model.activation_checkpointing_enable({"use_reentrant": True})
    with pytest.raises(ValueError, match="use_reentrant=False"):  # PyTorch's own: statistics would move twice
        model(images())
    model.activation_checkpointing_disable()
    assert not model.gradient_checkpointing
    assert same(model.eval()(images()).feature_maps, list(plain(PYRAMID)(images()).values()))


def test_checkpointing_of_a_detector_reaches_the_backbone(generated: Any) -> None:
    """transformers asks the modules of a model one by one."""
    from transformers import PreTrainedModel

    class Detector(PreTrainedModel):  # type: ignore[misc]
        config_class = generated.TinyConfig
        supports_gradient_checkpointing = True

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.backbone = generated.TinyBackbone(config)
            self.post_init()

    model = Detector(generated.TinyConfig())
    model.activation_checkpointing_enable()
    assert model.backbone.gradient_checkpointing
    model.activation_checkpointing_disable()
    assert not model.backbone.gradient_checkpointing


def test_the_configuration_says_how_outputs_come(generated: Any) -> None:
    model = generated.TinyBackbone(generated.TinyConfig(return_dict=False, output_hidden_states=True)).eval()
    maps, hidden = model(images())
    assert (len(maps), len(hidden)) == (3, 3)
    assert len(model(images(), return_dict=True, output_hidden_states=False)) == 1


@pytest.mark.parametrize("channels", [1, 4])
def test_other_channels_are_kept_with_the_weights(generated: Any, channels: int, tmp_path: Path) -> None:
    model = generated.TinyBackbone(generated.TinyConfig(num_channels=channels)).eval()
    model.model.reset(4)
    model.save_pretrained(tmp_path)
    loaded = generated.TinyBackbone.from_pretrained(tmp_path).eval()
    x = torch.randn(1, channels, 64, 96, generator=torch.Generator().manual_seed(0))
    assert loaded.config.num_channels == channels
    assert same(loaded(x).feature_maps, model(x).feature_maps)
    with pytest.raises(ValueError, match="at least one channel, got 0"):
        generated.TinyBackbone(generated.TinyConfig(num_channels=0))


@pytest.mark.parametrize("name", ["Swin", "ResNet"])
def test_a_network_that_is_called_like_one_of_its_own(name: str, tmp_path: Path) -> None:
    """transformers' own model stays what it was, and files with the network's name are of the network."""
    host("transformers")
    from transformers import AutoBackbone, AutoConfig

    own = type(AutoConfig.for_model(name.lower()))
    module = imported(tmp_path, named(PYRAMID, name), "transformers")
    config = getattr(module, f"{name}Config")()
    assert config.model_type == f"spine-{name.lower()}"
    assert type(AutoConfig.for_model(name.lower())) is own
    AutoBackbone.from_config(config).save_pretrained(tmp_path / "saved")
    assert type(AutoConfig.from_pretrained(tmp_path / "saved")) is type(config)
    loaded = getattr(module, f"{name}Backbone").from_pretrained(tmp_path / "saved").eval()
    assert same(loaded(images()).feature_maps, list(plain(PYRAMID)(images()).values()))
    assert type(AutoBackbone.from_config(own())).__module__.startswith("transformers.")

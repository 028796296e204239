"""A CLAP model that nobody trained, a thousandth of the size, as transformers itself builds and saves one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

WORDS = (
    *("<s>", "<pad>", "</s>", "<unk>", "the", "sound", "of", "a", "an", "normal", "healthy", "intact"),
    *("smoothly", "running", "well", "maintained", "anomalous", "faulty", "broken", "damaged", "worn", "out"),
    *("machine", "fan", "valve", "gearbox", "slide", "rail", "one", "two"),
)
DIMENSIONS = 16


def tiny_clap(folder: Path, seed: int = 0, spread: float = 0.3, **audio: Any) -> Path:
    """Save a model in the layout of Hugging Face; return its folder.

    Args:
        folder: Where.
        seed: Of its weights.
        spread: Standard deviation of its matrices: those of a new model are so small that all sounds are alike.
        audio: Changes to the configuration of its audio encoder.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    text = {
        "vocab_size": len(WORDS),
        "hidden_size": DIMENSIONS,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 32,
        "projection_dim": DIMENSIONS,
    }
    heard = {
        "patch_embeds_hidden_size": 8,
        "hidden_size": 16,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "num_hidden_layers": 2,
        "num_classes": 4,
        "projection_dim": DIMENSIONS,
        **audio,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ClapModel(ClapConfig(text_config=text, audio_config=heard, projection_dim=DIMENSIONS))
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(0, spread)
    model.save_pretrained(folder)
    ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc").save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder

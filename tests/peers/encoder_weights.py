"""Whisper's encoder out of a safetensors file, for the libraries that build it themselves."""

import numpy as np
from safetensors.numpy import load_file

WHISPER_HEAD_WIDTH = 64  # of every published Whisper


class EncoderWeights:
    """Tensors in F32 under the names of Hugging Face's checkpoints, without the prefix `model.encoder.`."""

    def __init__(self, path):
        prefix = "model.encoder."
        self.tensors = {
            name.removeprefix(prefix): np.ascontiguousarray(value, dtype=np.float32)
            for name, value in load_file(path).items()
            if name.startswith(prefix)
        }
        self.state, self.mels, _ = self["conv1.weight"].shape
        self.positions = len(self["embed_positions.weight"])
        self.heads = self.state // WHISPER_HEAD_WIDTH
        self.layers = sum(name.endswith("self_attn_layer_norm.weight") for name in self.tensors)

    def __getitem__(self, name):
        return self.tensors[name]

    def bias(self, name, width):
        """A bias, zeros where there is none (the keys)."""
        return self.tensors.get(f"{name}.bias", np.zeros(width, dtype=np.float32))

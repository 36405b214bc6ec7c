"""PyTorch with its fused attention: F32, BF16, and dynamic INT8 of the linear layers."""

import warnings

import torch
from torch import nn
from torch.nn import functional

from encoder_weights import EncoderWeights


def linear(weights, name):
    weight = torch.from_numpy(weights[f"{name}.weight"])
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight = nn.Parameter(weight)
    layer.bias = nn.Parameter(torch.from_numpy(weights.bias(name, len(weight))))
    return layer


def parameter(weights, name):
    return nn.Parameter(torch.from_numpy(weights[name]))


def layer_norm(weights, name):
    layer = nn.LayerNorm(weights.state)
    layer.weight = parameter(weights, f"{name}.weight")
    layer.bias = parameter(weights, f"{name}.bias")
    return layer


class Block(nn.Module):
    def __init__(self, weights, layer):
        super().__init__()
        name = f"layers.{layer}"
        self.heads = weights.heads
        self.attention_norm = layer_norm(weights, f"{name}.self_attn_layer_norm")
        self.query, self.key, self.value, self.out = (
            linear(weights, f"{name}.self_attn.{part}_proj") for part in ("q", "k", "v", "out"))
        self.mlp_norm = layer_norm(weights, f"{name}.final_layer_norm")
        self.up = linear(weights, f"{name}.fc1")
        self.down = linear(weights, f"{name}.fc2")

    def forward(self, x):
        normed = self.attention_norm(x)
        query, key, value = (
            part(normed).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        attended = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.mlp_norm(x))))


class Encoder(nn.Module):
    def __init__(self, weights):
        super().__init__()
        for name in ("conv1", "conv2"):
            weight = parameter(weights, f"{name}.weight")
            conv = nn.Conv1d(weight.shape[1], weight.shape[0], 3, padding=1, stride=1 if name == "conv1" else 2)
            conv.weight, conv.bias = weight, parameter(weights, f"{name}.bias")
            setattr(self, name, conv)
        self.positions = parameter(weights, "embed_positions.weight")
        self.blocks = nn.ModuleList(Block(weights, layer) for layer in range(weights.layers))
        self.norm = layer_norm(weights, "layer_norm")

    def forward(self, log_mel):
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(log_mel))))
        x = x.transpose(1, 2) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def peers(options):
    warnings.simplefilter("ignore")
    torch.set_num_threads(options.threads)
    weights = EncoderWeights(options.encoder)
    version = torch.__version__.split("+")[0]

    def peer(label, arithmetic, module, dtype=torch.float32):
        def encode(log_mel):
            with torch.inference_mode():
                return module(torch.from_numpy(log_mel).to(dtype)).float().numpy()

        return {"name": f"PyTorch {version} {label}", "arithmetic": arithmetic, "encode": encode}

    yield peer("F32", "f32", Encoder(weights).eval())
    yield peer("BF16", "bf16", Encoder(weights).eval().to(torch.bfloat16), torch.bfloat16)
    try:
        quantized = torch.ao.quantization.quantize_dynamic(Encoder(weights).eval(), {nn.Linear}, dtype=torch.qint8)
    except Exception as error:  # torch names no class for "this build has no INT8"
        yield f"PyTorch in int8: {error}"
        return
    yield peer("INT8", "int8", quantized)

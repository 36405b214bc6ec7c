"""CTranslate2, which faster-whisper runs on: the encoder with one decoder layer of zeros, which nothing here calls."""

import json
import os

import ctranslate2
import numpy as np
from ctranslate2.specs import WhisperSpec, common_spec

from encoder_weights import EncoderWeights

SPECIAL_TOKENS = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>",
                  "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>", "<|0.00|>"]
COMPUTE_TYPES = {"f32": ["float32"], "bf16": ["bfloat16"], "f16": ["float16"],
                 "int8": ["int8", "int8_float32", "int8_bfloat16"]}


def set_linear(spec, weights, names):
    spec.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    spec.bias = np.concatenate([weights.bias(name, weights.state) for name in names])


def set_norm(spec, weights, name):
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def zeros(*shape):
    return np.zeros(shape, dtype=np.float32)


def fill_linear(spec, rows, columns):
    spec.weight, spec.bias = zeros(rows, columns), zeros(rows)


def fill_norm(spec, width):
    spec.gamma, spec.beta = np.ones(width, dtype=np.float32), zeros(width)


def build(weights):
    """WhisperSpec with the encoder's weights; the decoder is zeros of the smallest shape that loads."""
    width = weights.state
    spec = WhisperSpec(weights.layers, weights.heads, 1, weights.heads)
    encoder = spec.encoder
    for name in ("conv1", "conv2"):
        conv = getattr(encoder, name)
        conv.weight, conv.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    encoder.position_encodings.encodings = weights["embed_positions.weight"]
    set_norm(encoder.layer_norm, weights, "layer_norm")
    for index, layer in enumerate(encoder.layer):
        name = f"layers.{index}"
        set_norm(layer.self_attention.layer_norm, weights, f"{name}.self_attn_layer_norm")
        set_linear(layer.self_attention.linear[0], weights, [f"{name}.self_attn.{part}_proj" for part in "qkv"])
        set_linear(layer.self_attention.linear[1], weights, [f"{name}.self_attn.out_proj"])
        set_norm(layer.ffn.layer_norm, weights, f"{name}.final_layer_norm")
        set_linear(layer.ffn.linear_0, weights, [f"{name}.fc1"])
        set_linear(layer.ffn.linear_1, weights, [f"{name}.fc2"])

    decoder = spec.decoder
    decoder.scale_embeddings = False
    decoder.embeddings.weight = zeros(len(SPECIAL_TOKENS), width)
    decoder.projection.weight = zeros(len(SPECIAL_TOKENS), width)
    decoder.position_encodings.encodings = zeros(448, width)
    fill_norm(decoder.layer_norm, width)
    layer = decoder.layer[0]
    fill_norm(layer.self_attention.layer_norm, width)
    fill_linear(layer.self_attention.linear[0], 3 * width, width)
    fill_linear(layer.self_attention.linear[1], width, width)
    fill_norm(layer.attention.layer_norm, width)
    fill_linear(layer.attention.linear[0], width, width)
    fill_linear(layer.attention.linear[1], 2 * width, width)
    fill_linear(layer.attention.linear[2], width, width)
    fill_norm(layer.ffn.layer_norm, width)
    fill_linear(layer.ffn.linear_0, 4 * width, width)
    fill_linear(layer.ffn.linear_1, width, 4 * width)
    spec.register_vocabulary(SPECIAL_TOKENS)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids, spec.config.alignment_heads = [2], [[0, 0]]
    return spec


def peers(options):
    folder = os.path.join(options.work, "ctranslate2")
    os.makedirs(folder, exist_ok=True)
    spec = build(EncoderWeights(options.encoder))
    spec.validate()
    spec.optimize(quantization=None)
    spec.save(folder)
    supported = ctranslate2.get_supported_compute_types("cpu")

    def peer(label, arithmetic, compute_type):
        model = ctranslate2.models.Whisper(
            folder, device="cpu", compute_type=compute_type, intra_threads=options.threads, inter_threads=1)

        def encode(log_mel):
            # The features come back as a view that lives in the library: the copy is small beside the encoder.
            return np.array(model.encode(ctranslate2.StorageView.from_array(log_mel), to_cpu=True), dtype=np.float32)

        return {"name": f"CTranslate2 {ctranslate2.__version__} {label}", "arithmetic": arithmetic, "encode": encode}

    for arithmetic, types in COMPUTE_TYPES.items():
        for compute_type in types[:1]:
            if compute_type not in supported:
                yield f"CTranslate2 in {compute_type}: it computes in {json.dumps(sorted(supported))} here"
                continue
            yield peer(arithmetic.upper(), arithmetic, compute_type)

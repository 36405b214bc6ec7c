"""Writes random_model.json: what openai-whisper 20250625 writes with text decoders of OpenAI's true vocabularies and random weights.

    python make_random.py

The weights are not kept: a counter-based generator of 32-bit integers makes them here and in tests/decoder/_random_model.ts alike, exactly.
"""

import json
import os

import numpy as np
import torch
import whisper

HERE = os.path.dirname(os.path.abspath(__file__))
STATE, HEADS, LAYERS = 64, 2, 2
MODELS = {"multilingual": 51865, "large-v3": 51866, "english": 51864}


def uniform(name, count):
    """Numbers of -1…1 in steps of 2^-23: a 32-bit finalizer over the index, keyed by the FNV-1a hash of the name."""
    key = 2166136261
    for byte in name.encode():
        key = ((key ^ byte) * 16777619) & 0xFFFFFFFF
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(key)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x21F0AAAD)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x735A2D97)
    x ^= x >> np.uint32(15)
    return ((x >> np.uint32(8)).astype(np.float64) / 2**23 - 1).astype(np.float32)


def scale_of(name):
    """Powers of two, so that a product with them is exact."""
    if name.endswith("token_embedding.weight"):
        return 1.0
    if name.endswith("positional_embedding"):
        return 2.0
    return 0.125 if name.endswith(".bias") else 0.5


def weights(name, shape, eot):
    if name == "decoder.ln.bias":
        # Logits are products with the embeddings: a step towards that of the end makes texts end.
        return torch.from_numpy(uniform("decoder.token_embedding.weight", (eot + 1) * STATE)[-STATE:] * 0.4375)
    if name.endswith("ln.weight"):
        return torch.ones(shape)
    return torch.from_numpy(uniform(name, int(np.prod(shape))).reshape(shape) * scale_of(name))


def load(vocabulary):
    dims = whisper.model.ModelDimensions(
        n_mels=80, n_audio_ctx=1500, n_audio_state=STATE, n_audio_head=HEADS, n_audio_layer=1, n_vocab=vocabulary, n_text_ctx=448,
        n_text_state=STATE, n_text_head=HEADS, n_text_layer=LAYERS)
    model = whisper.model.Whisper(dims)
    eot = 50256 if vocabulary == 51864 else 50257
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("decoder."):
                parameter.copy_(weights(name, tuple(parameter.shape), eot))
    return model.eval()


RUNS = [
    {}, {"beam_size": 5}, {"beam_size": 4, "patience": 2.0}, {"beam_size": 3, "patience": 0.4, "length_penalty": 0.0}, {"beam_size": 5, "length_penalty": 1.0},
    {"beam_size": 5, "sample_len": 9}, {"without_timestamps": True}, {"without_timestamps": True, "beam_size": 3, "suppress_blank": False},
    {"max_initial_timestamp": None, "suppress_tokens": "", "beam_size": 2}, {"prompt": "Ärger über Öl, 日本語", "prefix": "Hello"},
]
MULTILINGUAL_RUNS = [{"language": "ja"}, {"language": "de", "task": "translate", "beam_size": 5}]


def run(model, features, options):
    result = whisper.decode(model, features, fp16=False, **{"sample_len": 40, **options})
    return {
        "options": options, "language": result.language, "tokens": result.tokens, "text": result.text, "avg_logprob": result.avg_logprob,
        "no_speech_prob": result.no_speech_prob, "compression_ratio": result.compression_ratio,
    }


def top(logits, count=8):
    values, ids = logits.topk(count)
    return [ids.tolist(), values.tolist()]


def record(name, vocabulary):
    model = load(vocabulary)
    multilingual = model.is_multilingual
    windows = []
    for window in range(3 if name == "multilingual" else 1):
        features = torch.from_numpy(uniform(f"features {window}", 1500 * STATE).reshape(1500, STATE) * 4)
        tokenizer = whisper.tokenizer.get_tokenizer(multilingual, num_languages=model.num_languages, language="en", task="transcribe")
        with torch.no_grad():
            logits = model.logits(torch.tensor([list(tokenizer.sot_sequence)]), features[None])[0]
        detected = None
        if multilingual:
            _, probabilities = model.detect_language(features)
            detected = probabilities
        runs = RUNS + (MULTILINGUAL_RUNS if multilingual else [])
        if name == "large-v3":
            runs = [{}, {"language": "yue", "beam_size": 5}]
        language = None if multilingual else "en"
        windows.append({
            "start": list(tokenizer.sot_sequence), "logits": [top(row) for row in logits], "languages": detected,
            "runs": [run(model, features, {"language": language, **options}) for options in runs],
        })
    return {"n_vocab": vocabulary, "windows": windows}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main():
    torch.set_num_threads(1)
    records = {name: record(name, vocabulary) for name, vocabulary in MODELS.items()}
    with open(f"{HERE}/random_model.json", "w") as f:
        json.dump(rounded({"state": STATE, "heads": HEADS, "layers": LAYERS, "models": records}), f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()

"""Writes search.json: transcribe() of openai-whisper 20250625 on the bundled recordings with beam search and thresholds.

    python make_search.py --tools ../../../../shared/tools/demo_model

At temperatures above 0 no two generators of random numbers agree: runs with several temperatures are such that none above 0 is reached, or say
(`hot`) what only the rules decide: at which temperature each window ended.
"""

import argparse
import json
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "../../../models/demo")
ALL = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
ALONE = {"language": "en", "condition_on_previous_text": False}

RUNS = [
    ("09_long", {**ALONE, "beam_size": 5, "patience": 2.0}), ("09_long", {**ALONE, "beam_size": 3, "patience": 0.5}),
    ("09_long", {**ALONE, "beam_size": 5, "length_penalty": 1.0}), ("09_long", {**ALONE, "beam_size": 5, "length_penalty": 0.0}),
    ("08_commands", {**ALONE, "beam_size": 1, "patience": 3.0}), ("08_commands", {**ALONE, "beam_size": 8, "sample_len": 12}),
    ("08_commands", {"language": "en", "beam_size": 5, "initial_prompt": "The train to Paris.", "suppress_tokens": "13"}),
    ("08_commands", {**ALONE, "beam_size": 5, "without_timestamps": True, "prefix": "We need"}), ("06_german", {"language": None, "beam_size": 4}),
    ("06_german", {"language": "de", "task": "translate", "beam_size": 5}), ("11_no_speech", {"language": "en", "beam_size": 5, "temperature": ALL}),
    ("08_commands", {**ALONE, "temperature": ALL, "beam_size": 5, "best_of": 5}), ("01_command", {"language": "en", "temperature": ALL}),
    ("06_german", {"language": "de", "temperature": ALL, "logprob_threshold": None, "compression_ratio_threshold": None}),
]

HOT = [
    ("01_command", {"language": "en", "temperature": (0.0, 0.2, 0.4), "logprob_threshold": 0.0, "no_speech_threshold": None}),
    ("01_command", {"language": "en", "temperature": (0.0, 0.4, 0.2), "compression_ratio_threshold": 0.1, "best_of": 3}),
    ("11_no_speech", {"language": "en", "temperature": (0.0, 0.4), "logprob_threshold": 0.0, "no_speech_threshold": 0.0}),
    ("11_no_speech", {"language": "en", "temperature": (0.0, 0.4), "compression_ratio_threshold": 0.1, "logprob_threshold": -9.0, "no_speech_threshold": 0.0}),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", required=True)
    sys.path.insert(0, parser.parse_args().tools)
    import parity
    import reference
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = reference.load(MODEL)
    runs, hot = [], []
    for clip, options in RUNS + HOT:
        audio = parity.whisper_audio(f"{MODEL}/audio/{clip}.wav")
        result = model.transcribe(audio, fp16=False, **{"temperature": 0.0, **options})
        if (clip, options) in HOT:
            hot.append({"clip": clip, "options": options, "temperatures": sorted({segment["temperature"] for segment in result["segments"]})})
        else:
            runs.append({"clip": clip, "options": options, "result": result})
    with open(f"{HERE}/search.json", "w") as f:
        json.dump({"runs": runs, "hot": hot}, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()

"""One library's encoders behind standard input and output, so that a benchmark can run libraries in turns.

    peers.py LIBRARY --encoder FILE --onnx FILE --input FILE --threads N --work FOLDER

The first line it prints says what there is: {"peers": [{"name", "arithmetic"}], "missing": [why]}. Then for each line
{"peer": index, "output"?: path} it encodes the input once, writes the features as raw F32 where a path is given, and
prints {"seconds": time of encoding alone}. It ends when standard input does.
"""

import argparse
import importlib
import json
import os
import sys
import time


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=["openvino", "onnxruntime", "ctranslate2", "torch"])
    parser.add_argument("--encoder", required=True, help="model.safetensors of the encoder")
    parser.add_argument("--onnx", required=True, help="the same encoder as ONNX")
    parser.add_argument("--input", required=True, help="log-mel, raw F32 [bands, 3000]")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--work", required=True, help="folder for files of its own")
    return parser.parse_args()


def open_peers(options):
    """The library's encoders, and a line for each that there is none of."""
    try:
        module = importlib.import_module(f"{options.library}_peer")
    except ImportError as error:
        return [], [f"{options.library}: {error}"]
    found, missing = [], []
    for peer in module.peers(options):
        (missing if isinstance(peer, str) else found).append(peer)
    return found, missing


def main():
    options = parse_arguments()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    # Libraries print on standard output as they please: keep it for answers alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    try:
        import numpy as np
    except ImportError as error:
        answer({"peers": [], "missing": [f"{options.library}: {error}"]})
        return
    log_mel = np.fromfile(options.input, dtype=np.float32).reshape(1, -1, 3000)
    options.log_mel = log_mel
    found, missing = open_peers(options)
    answer({"peers": [{key: peer[key] for key in ("name", "arithmetic")} for peer in found], "missing": missing})
    for line in sys.stdin:
        request = json.loads(line)
        begun = time.perf_counter()
        features = found[request["peer"]]["encode"](log_mel)
        seconds = time.perf_counter() - begun
        if "output" in request:
            np.ascontiguousarray(features, dtype=np.float32).tofile(request["output"])
        answer({"seconds": seconds})


if __name__ == "__main__":
    main()

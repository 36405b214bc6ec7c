"""Writes the reference results in this folder, from openai-whisper 20250625 itself:

    python make.py --tools ../../../../shared/tools/demo_model --parity ../../../../shared/data/parity

tokenizer.json   ids, texts and special tokens of the vocabularies, by tiktoken
deflate.json     compression ratios by zlib, floats by repr(), roundings by round()
options.json     transcribe() and decode() of the bundled recordings under options that the parity data does not vary
09_long.*        its writers' files for 09_long.result.json, the parity run `no_previous_text` with the temperature as a float
writers.*        its writers' files for writers.result.json: rare characters and times
"""

import argparse
import json
import os
import random
import sys
import zlib

import numpy as np
import torch
import whisper
from whisper.tokenizer import get_tokenizer
from whisper.utils import compression_ratio, get_writer

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "../../../models/demo")

TEXTS = [
    "", " ", "  ", "\n", "a", " a", "Hello world", " Hello, world!", "Hello  world", "   leading", "trailing   ", "a\n\nb \n c\t\td",
    "I'm you're he's they've we'll I'd can't 'tis rock'n'roll", "I'M YOU'RE ISN'T", "don’t", "1234567890 3.14159 1,000,000 ²³ ½ Ⅳ ٣٤٥", "a1b2c3",
    "state-of-the-art -- --- ... !!! ?! (((x))) [[y]] {{z}}", "http://example.com/a?b=c&d=e#f", "Ärger über Öl, Straße, größer", "naïve café résumé Ångström",
    "Привет, как дела? Сегодня 5 июля.", "今天天气很好，我们去公园吧。", "日本語のテストです。カタカナとひらがな", "안녕하세요 세계", "مرحبا بالعالم ١٢٣", "שלום עולם",
    "नमस्ते दुनिया", "สวัสดีชาวโลก", "Γειά σου Κόσμε", "Xin chào thế giới", "🎉", "👩‍👩‍👧‍👦 family 🇩🇪 flags 👍🏽", "♪♪♪ la la ♫", "「こんにちは」『さようなら』", "e\u0301 combining o\u0308",
    "\u00a0nbsp\u2003em\u3000ideographic\u200bzero\ufeffbom\u0085nel", "tab\tand\r\nwindows\rlines", "\x00\x01\x1c\x1d\x7f control", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛", "\ufffd\uffff", "ﬁ ligature Ǆ ǅ ª º",
    "a" * 300, "ab" * 200, " " * 100 + "x", "\n" * 50, "=" * 129, "The quick brown fox jumps over the lazy dog. " * 10,
    " Please switch off the bathroom washing machine. The train to Paris leaves at three twenty-four.", " Setze Brot und Milch auf die Einkaufsliste.",
    "x\u2028y\u2029z", "1\u00a0000\u202f000", "'s's't 're", " 's", "' s", "don't'll've", "‘quoted’ “double” –—", "<|notaspecial|>", "<| |>", "CamelCaseWordsAndSNAKE_CASE_words", "αβγ123абв中文",
]


def random_text(n):
    ranges = [(32, 127), (0x20, 0x21), (0xA0, 0x250), (0x400, 0x460), (0x4E00, 0x5000), (0x3040, 0x30FF), (0x1F300, 0x1F650), (9, 14), (0x30, 0x3A), (0x600, 0x660), (0x2000, 0x2070)]
    return "".join(chr(random.randrange(*random.choice(ranges))) for _ in range(n))


def tokenizer_record(tokenizer, texts):
    size = tokenizer.encoding.n_vocab
    decoded = []
    for _ in range(60):
        ids = [random.randrange(size if random.random() < 0.1 else tokenizer.eot) for _ in range(random.randrange(1, 12))]
        decoded.append({"ids": ids, "text": tokenizer.decode(ids), "timed": tokenizer.decode_with_timestamps(ids)})
    splits = []
    for text in ["日本語のテスト", "👩‍👩‍👧‍👦 🎉x", "Ärger über Öl"]:
        ids = tokenizer.encode(text)
        words, tokens = tokenizer.split_tokens_on_unicode(ids)
        splits.append({"ids": ids, "words": words, "tokens": tokens})
    bytes_apart = [random.randrange(tokenizer.eot) for _ in range(40)]
    try:
        words, tokens = tokenizer.split_tokens_on_unicode(bytes_apart)
        splits.append({"ids": bytes_apart, "words": words, "tokens": tokens})
    except IndexError:
        pass
    return {
        "n_vocab": size, "eot": tokenizer.eot, "sot": tokenizer.sot, "sot_lm": tokenizer.sot_lm, "sot_prev": tokenizer.sot_prev, "no_speech": tokenizer.no_speech,
        "no_timestamps": tokenizer.no_timestamps, "timestamp_begin": tokenizer.timestamp_begin, "transcribe": tokenizer.transcribe, "translate": tokenizer.translate,
        "sot_sequence": tokenizer.sot_sequence, "non_speech_tokens": tokenizer.non_speech_tokens,
        "languages": {code: tokenizer.to_language_token(code) for code in list(whisper.tokenizer.LANGUAGES)[: tokenizer.num_languages]},
        "encoded": [[text, tokenizer.encode(text)] for text in texts], "decoded": decoded, "splits": splits,
    }


def write(name, value):
    with open(f"{HERE}/{name}", "w") as f:
        json.dump(value, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")


def deflate_cases():
    words = "the train to Paris leaves at three twenty-four Ärger über München 日本語 は です и на не что 🎉".split()
    texts = ["", "a", "ab", "a" * 40, "Thank you. " * 40, "no " * 6000]
    texts += [" ".join(random.choice(words[: random.randrange(2, len(words))]) for _ in range(n)) for n in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 800] for _ in range(3)]
    texts += [random_text(n) for n in (1, 4, 16, 64, 256, 1024, 6000)]
    # Counts like Fibonacci's make codes longer than 15 bits allow.
    fibonacci = [chr(33 + i) for i in range(20) for _ in range(int(1.6**i))]
    random.shuffle(fibonacci)
    texts.append("".join(fibonacci))
    floats = [0.0, -0.0, 1.0, 0.1, 1e-4, 9.99e-5, 1e-5, 1.5e-7, 123456.789, 1e15, 9007199254740993.0, 1e16, 1.2345e22, 5e-324, 1.7976931348623157e308, -2.5, 1 / 3, 30.0, 0.6000000000000001, 2.3e-10, float("nan"), float("inf"), float("-inf")]
    halves = [0.5, 1.5, 2.5, 3.5, -0.5, -1.5, 0.4999999999999999, 1234.5, 1235.5, 2.675 * 1000, 8.98 * 1000]
    return {
        "ratios": [[text, compression_ratio(text)] for text in texts],
        "floats": [[value.hex(), repr(value) if value == value and abs(value) != float("inf") else json.dumps(value)] for value in floats],
        "rounded": [[value, round(value)] for value in halves],
        "stripped": [[text, text.strip()] for text in [" a ", "\u00a0a\u3000", "\x1ca\x1f", "\ufeffa\ufeff", "\u0085a", "\u200ba", "\t\n", "", "\u2028x\u2029"]],
    }


def option_runs(model, audio_of):
    prompt = "The train to Paris leaves at three twenty-four from platform twenty-four."
    runs = []
    for clip, options in [
        ("01_command", {"language": None}), ("06_german", {"language": None}), ("11_no_speech", {"language": None}), ("08_commands", {"language": None, "condition_on_previous_text": False}),
        ("11_no_speech", {"language": "en"}), ("11_no_speech", {"language": "en", "no_speech_threshold": None}), ("11_no_speech", {"language": "en", "logprob_threshold": None}),
        ("11_no_speech", {"language": "en", "no_speech_threshold": 0.0, "logprob_threshold": 0.0}),
        ("09_long", {"language": "en", "initial_prompt": prompt}), ("09_long", {"language": "en", "initial_prompt": prompt, "carry_initial_prompt": True}),
        ("09_long", {"language": "en", "initial_prompt": prompt * 20, "carry_initial_prompt": True}), ("09_long", {"language": "en", "initial_prompt": prompt, "condition_on_previous_text": False}),
        ("09_long", {"language": "en", "without_timestamps": True}), ("08_commands", {"language": "en", "sample_len": 20, "condition_on_previous_text": False}),
        ("09_long", {"language": "en", "max_initial_timestamp": None, "suppress_blank": False, "condition_on_previous_text": False}), ("09_long", {"language": "de"}),
        ("09_long", {"language": "en", "suppress_tokens": "", "condition_on_previous_text": False}), ("09_long", {"language": "en", "suppress_tokens": "11,13", "condition_on_previous_text": False}),
        ("09_long", {"language": "en", "suppress_tokens": [-1, 13], "condition_on_previous_text": False}), ("08_commands", {"language": "en", "prefix": "We need"}),
        ("08_commands", {"language": "en", "max_initial_timestamp": 0.5}), ("08_commands", {"language": "de", "task": "translate"}), ("08_commands", {"language": "German", "sample_len": 7}),
        ("08_commands", {"language": "en", "sample_len": 200, "prefix": "We need eighty-two bottles and some rice. It is windy and cold tomorrow. The meeting with Anna is"}),
    ]:
        result = model.transcribe(audio_of(clip), fp16=False, temperature=0.0, **options)
        runs.append({"clip": clip, "options": options, "result": result})
    return runs


def writer_results(parity):
    long = json.load(open(f"{parity}/09_long.json"))["transcribe"]["no_previous_text"]["result"]
    for segment in long["segments"]:
        segment["temperature"] = float(segment["temperature"])
    base = {"seek": 0, "tokens": [1, 2], "temperature": 0.2, "avg_logprob": -0.25, "compression_ratio": 1.0, "no_speech_prob": 1.2e-7}
    texts = [" plain", " --> arrow --> \t tab ", "", " Ärger 日本語 🎉 \u2028 \x7f \"quoted\" \\ back", "\u00a0nbsp\ufeff", " two\nlines", " end"]
    times = [(0.0, 0.0005), (1.0015, 2.0025), (59.9995, 60.0), (3599.9996, 3600.0), (3661.234, 7325.5), (1e-05, 36000.0), (359999.999, 360000.25)]
    rare = {"text": "".join(texts), "segments": [{"id": i, **{"seek": base["seek"]}, "start": s, "end": e, "text": t, **{k: v for k, v in base.items() if k != "seek"}} for i, (t, (s, e)) in enumerate(zip(texts, times))], "language": "de"}
    return {"09_long": long, "writers": rare}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", required=True)
    parser.add_argument("--parity", required=True)
    args = parser.parse_args()
    random.seed(20)
    torch.set_num_threads(1)
    texts = TEXTS + [random_text(n) for n in (5, 20, 60, 200) for _ in range(6)]
    records = {
        "multilingual_99": tokenizer_record(get_tokenizer(True, num_languages=99, language="de", task="translate"), texts),
        "multilingual_100": tokenizer_record(get_tokenizer(True, num_languages=100, language="yue", task="transcribe"), texts[:3]),
        "gpt2": tokenizer_record(get_tokenizer(False, num_languages=99), texts),
    }
    for name, result in writer_results(args.parity).items():
        write(f"{name}.result.json", result)
        get_writer("all", HERE)(result, f"{name}.wav")
    write("deflate.json", deflate_cases())
    sys.path.insert(0, args.tools)
    import parity
    import reference
    model = reference.load(MODEL)
    records["demo"] = tokenizer_record(get_tokenizer(True, num_languages=2, language="de", task="transcribe"), texts)
    write("tokenizer.json", records)
    write("options.json", option_runs(model, lambda clip: parity.whisper_audio(f"{MODEL}/audio/{clip}.wav")))


if __name__ == "__main__":
    main()

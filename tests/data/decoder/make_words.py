"""Writes the reference results of word times in this folder, from openai-whisper 20250625 itself:

    python make_words.py --tools ../../../../shared/tools/demo_model

words.json           texts cut into words, punctuation merged, running medians, time warping, and words placed in segments by its
                     add_word_timestamps(), for inputs made at random
word_runs.json       transcribe() of recordings with word times, of some with silence and noise put between them
word_subtitles.json  its subtitle files and JSON under every option of theirs
"""

import argparse
import json
import os
import random
import sys
import types

import numpy as np
import torch
import whisper
import whisper.timing as timing
from whisper.tokenizer import get_tokenizer
from whisper.utils import WriteJSON, WriteSRT, WriteVTT

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "../../../models/demo")

TEXTS = [
    (" Hello, world! It's 3.14 o'clock; isn't it? \"Yes,\" (she) said -- twenty-four.", ["en", "ja"]), ("Ärger über Öl – „Straße“, größer…", ["de"]), ("¿Qué tal? ¡Muy bien!", ["es"]),
    ("今天天气很好，我们去公园吧。", ["zh", "en", "yue"]), ("日本語のテストです。「カタカナ」とひらがな", ["ja"]), ("สวัสดีชาวโลก ราตรีสวัสดิ์", ["th"]), ("ສະບາຍດີ ມື້ນີ້", ["lo"]), ("မင်္ဂလာပါ ကမ္ဘာ", ["my"]),
    ("Привет, как дела? «Сегодня» 5 июля.", ["ru"]), ("नमस्ते दुनिया।", ["hi"]), ("مرحبا، بالعالم", ["ar"]), ("안녕하세요 세계", ["ko"]), (" 🎉👩‍👩‍👧‍👦 🇩🇪 ok", ["en", "zh"]), ("   ", ["en"]), ("-", ["en"]), ("", ["en"]),
]


def splits(tokenizer_of, names):
    records = []
    for text, languages in TEXTS:
        for language in languages:
            tokenizer = tokenizer_of(language)
            ids = tokenizer.encode(text)
            for given in [ids, ids + [tokenizer.eot], ids[:-1] + [tokenizer.eot]]:
                words, tokens = tokenizer.split_to_word_tokens(given)
                records.append({"ids": given, "language": language, "words": words, "tokens": tokens})
    return records


PIECES = [" the", " Paris", "-four", " \"", " (", " '", "'s", ".", "...", ",", "!", " ", "?\"", ")", " ¿", "。", " -", " x.", "", " «"]


def words_at_random():
    """Words as find_alignment() returns them: each begins where the one before ends."""
    at, words = random.choice([0, 0, 20, 100]), []
    for _ in range(random.randrange(0, 25)):
        length = random.choice([0, 0, 5, 10, 13, 20, 20, 25, 30, 60, 200, 400])
        end = min(at + length, 1500)
        words.append(timing.WordTiming(random.choice(PIECES[:15]), [random.randrange(1, 9) for _ in range(random.choice([1, 1, 1, 2, 3]))], np.float64(at / 50), np.float64(end / 50), random.random()))
        at = end
    return words


def plain_words(words):
    return [{"text": w.word, "tokens": list(w.tokens), "start": float(w.start), "end": float(w.end), "probability": float(w.probability)} for w in words]


def merges():
    records = []
    for _ in range(60):
        words = [timing.WordTiming(random.choice(PIECES), [i], i / 50, (i + 1) / 50, 0.5) for i in range(random.randrange(0, 9))]
        given = plain_words(words)
        timing.merge_punctuations(words, "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、")
        records.append({"given": given, "merged": plain_words(words)})
    return records


def medians():
    records = []
    for length, width in [(1, 7), (3, 7), (4, 7), (5, 7), (8, 7), (40, 7), (40, 3), (9, 1), (6, 11), (30, 5)]:
        row = np.round(np.random.randn(length), 1).astype(np.float32)
        records.append({"width": width, "row": row.tolist(), "medians": timing.median_filter(torch.from_numpy(row)[None, None], width)[0, 0].tolist()})
    return records


def warps():
    records = []
    for rows, columns, levels in [(1, 1, 0), (1, 5, 0), (5, 1, 0), (4, 9, 0), (9, 4, 0), (12, 40, 0), (6, 6, 3), (8, 20, 2), (10, 10, 1)]:
        # With few levels many paths cost the same: ties are decided as theirs are.
        cost = np.random.randn(rows, columns).astype(np.float32) if levels == 0 else np.random.randint(0, levels, (rows, columns)).astype(np.float32)
        text, times = timing.dtw_cpu(cost.astype(np.float64))
        records.append({"rows": rows, "columns": columns, "cost": cost.flatten().tolist(), "entries": [int(times[text == row].min()) for row in range(rows)]})
    return records


def placements():
    records = []
    tokenizer = types.SimpleNamespace(eot=10)
    for _ in range(120):
        words = words_at_random()
        segments, tokens = [], [token for word in words for token in word.tokens]
        seek = random.choice([0, 0, 1234, 60000])
        cuts = sorted(random.sample(range(1, len(tokens)), min(random.randrange(0, 5), max(0, len(tokens) - 1)))) if len(tokens) > 1 else []
        at = 0.0
        for begin, end in zip([0] + cuts, cuts + [len(tokens)]):
            length = random.choice([0.5, 1.0, 2.5, 6.0])
            segments.append({"seek": seek, "start": seek / 100 + at, "end": seek / 100 + at + length, "tokens": [11] + tokens[begin:end] + [12]})
            at += length + random.choice([0, 0, 1.0])
        last_speech = max(0.0, seek / 100 - random.choice([0.0, 0.5, 10.0]))
        given = {"seek": seek, "last_speech": last_speech, "words": plain_words(words), "segments": json.loads(json.dumps(segments))}
        timing.find_alignment = lambda *args, **kwargs: words
        timing.add_word_timestamps(segments=segments, model=None, tokenizer=tokenizer, mel=None, num_frames=3000, last_speech_timestamp=last_speech)
        records.append({**given, "placed": [{"start": float(s["start"]), "end": float(s["end"]), "words": [{k: v if k == "word" else float(v) for k, v in w.items()} for w in s["words"]]} for s in segments]})
    return records


def noise(seconds):
    """The same samples that the test makes: Numerical Recipes' linear congruence, at -30 dB."""
    state, samples = 1, np.empty(int(seconds * 16000), np.float32)
    for i in range(len(samples)):
        state = (state * 1664525 + 1013904223) % 2**32
        samples[i] = np.float32((state / 2**31 - 1) * 0.0316)
    return samples


def runs(model, audio_of):
    records = []
    for parts, options in [
        (["01_command"], {"language": "en"}), (["06_german"], {"language": "de"}), (["06_german"], {"language": "de", "task": "translate"}), (["08_commands"], {"language": "en"}), (["09_long"], {"language": "en", "condition_on_previous_text": False}),
        (["08_commands"], {"language": "en", "without_timestamps": True}), (["09_long"], {"language": "en", "without_timestamps": True}), (["01_command"], {"language": "en", "prepend_punctuations": "", "append_punctuations": ""}),
        (["11_no_speech"], {"language": "en"}), (["11_no_speech"], {"language": "en", "no_speech_threshold": None}), (["11_no_speech"], {"language": "en", "no_speech_threshold": None, "hallucination_silence_threshold": 1.0}),
        ([20.0, "01_command"], {"language": "en"}), ([20.0, "01_command", -10.0, "08_commands"], {"language": "en", "no_speech_threshold": None, "condition_on_previous_text": False}),
        ([20.0, "01_command", -10.0, "08_commands"], {"language": "en", "no_speech_threshold": None, "condition_on_previous_text": False, "hallucination_silence_threshold": 2.0}),
        ([20.0, "01_command", -10.0, "08_commands"], {"language": "en", "no_speech_threshold": None, "hallucination_silence_threshold": 0.2}),
        (["01_command", -35.0, "06_german", 40.0, "01_command"], {"language": "en", "no_speech_threshold": None, "condition_on_previous_text": False, "hallucination_silence_threshold": 0.5}),
        (["09_long"], {"language": "en", "condition_on_previous_text": False, "hallucination_silence_threshold": 0.1}), (["08_commands", 3.0, -30.0], {"language": "en", "logprob_threshold": None, "no_speech_threshold": None, "hallucination_silence_threshold": 1.0}),
    ]:
        audio = np.concatenate([audio_of(p) if isinstance(p, str) else noise(-p) if p < 0 else np.zeros(int(p * 16000), np.float32) for p in parts])
        result = model.transcribe(audio, fp16=False, temperature=0.0, word_timestamps=True, **options)
        records.append({"parts": parts, "options": options, "result": result})
        print(parts, options, len(result["segments"]), result["text"][:100])
    return records


SUBTITLE_OPTIONS = [
    {}, {"highlight_words": True}, {"max_line_width": 20}, {"max_line_width": 20, "max_line_count": 2}, {"max_line_width": 30, "max_line_count": 1}, {"max_line_count": 1}, {"max_words_per_line": 3}, {"max_words_per_line": 1},
    {"max_words_per_line": 4, "highlight_words": True}, {"max_line_width": 16, "max_line_count": 3, "highlight_words": True}, {"max_line_width": 1}, {"max_line_width": 12, "max_line_count": 1, "max_words_per_line": 2},
]


class Text:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def written(writer, result, options):
    file = Text()
    writer(HERE).write_result(result, file, options)
    return file.text


def subtitles(records):
    base = {"tokens": [1, 2], "temperature": 0.0, "avg_logprob": -0.25, "compression_ratio": 1.0, "no_speech_prob": 1.2e-7}
    rows = [[(" A", 0.0, 0.5), (" pause", 0.5, 1.25), (",", 1.25, 1.25), (" then", 5.0, 5.25)], [], [("日本語", 9.0, 10.0), ("の", 10.0, 10.0), (" 🎉👍🏽", 10.0, 13.5)], [(" ", 14.0, 14.5), (" two\nlines", 3599.0, 3600.0004), ("end \n", 3605.0, 7210.0)]]
    rare = []
    for i, words in enumerate(rows):
        start, end = (words[0][1], words[-1][2]) if words else (6.0, 6.0)
        rare.append({"id": i, "seek": 0, "start": start, "end": end, "text": "".join(w for w, _, _ in words), **base, "words": [{"word": w, "start": s, "end": e, "probability": 0.125} for w, s, e in words]})
    results = {"long": records[4]["result"], "rare": {"text": "".join(s["text"] for s in rare), "segments": rare, "language": "en"}}
    files = [{"result": name, "options": options, "srt": written(WriteSRT, result, options), "vtt": written(WriteVTT, result, options)} for name, result in results.items() for options in SUBTITLE_OPTIONS]
    return {"results": results, "json": {name: written(WriteJSON, result, {}) for name, result in results.items()}, "files": files}


def write(name, value):
    with open(f"{HERE}/{name}", "w") as f:
        json.dump(value, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", required=True)
    args = parser.parse_args()
    random.seed(6)
    np.random.seed(6)
    torch.set_num_threads(1)
    find_alignment = timing.find_alignment
    record = {"splits": {
        "multilingual": splits(lambda language: get_tokenizer(True, num_languages=100, language=language, task="transcribe"), TEXTS),
        "gpt2": splits(lambda language: get_tokenizer(False), TEXTS)},
        "merges": merges(), "medians": medians(), "warps": warps(), "placements": placements()}
    timing.find_alignment = find_alignment
    write("words.json", record)
    sys.path.insert(0, args.tools)
    import parity
    import reference
    model = reference.load(MODEL)
    records = runs(model, lambda clip: parity.whisper_audio(f"{MODEL}/audio/{clip}.wav"))
    write("word_runs.json", records)
    write("word_subtitles.json", subtitles(records))


if __name__ == "__main__":
    main()

"""Writes normalized.json: texts as openai-whisper 20250625 normalizes them. Run: python make.py"""

import json
import os
import random

from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

ENGLISH = [
    "The train to Paris leaves at three twenty-four from platform twenty-four.",
    "I'd like twenty-one bottles, please; won't you? Mr. Smith's been gone, hmm.",
    "It costs $20 million and five cents, or £3.50, two dollars and seven cents.",
    "one oh one, double five, triple zero, the 1960s, the 274th, 32nd and thirty-second",
    "two and a half million, three point one four, point five percent, five per cent of 12%",
    "minus five degrees, plus one, a positive thought, negative", "The colour of the théâtre (loud) [noise] <unk> œuvre",
    "nineteen ninety nine hundred and twenty thousand three hundred forty five", "1,000,000 and 12,5 and 3.14159.",
    "Let's go, y'all; he's got it, they'd been there, she can't've", "zero", "oh no o'clock", "twelve hundred",
    "hundred thousands millions sixes first thirtieth fortieth millionth two thousandth", "and", "and and a half",
    "point", "point six", "one point two point three", "10.0.0.1 twenty five.", "€5 and ¢7, $0.05, 1s 1 one ones",
    "per cent", "percent", "seventy one second", "three hundred twenties five twelfths", "a half and a half", "",
    "  spaces \n and\ttabs ", "naïve café 日本語 テスト ½ ² ™", "two million five hundred thousand", "dr. no st. ives jr",
    "twenty twenty four", "one two three four five", "eleven twelve thirteen", "eight double o seven",
]
BASIC = ENGLISH[:8] + ["Setze Brot und Milch auf die Einkaufsliste.", "Größe: 5 €, (leise) „ja“", "日本語、テスト。", "E\u0301te\u0301 a\u0308"]

# Whatever rules do to each other: random sentences of number words.
random.seed(7)
WORDS = ("zero oh one two three nine ten eleven nineteen twenty fifty ninety first third twelfth twenties fortieth hundred "
         "thousand million hundreds thousandth and point double triple minus plus dollars cents percent per cent a half "
         "cat 5 17 2.5 $3 100 200th").split()
RANDOM = [" ".join(random.choices(WORDS, k=random.randint(2, 8))) for _ in range(600)]


def main():
    english, basic = EnglishTextNormalizer(), BasicTextNormalizer()
    pairs = []
    for text in ENGLISH + RANDOM:
        try:
            pairs.append([text, english(text)])
        except (AssertionError, ValueError, TypeError, AttributeError):
            continue  # what the reference itself cannot take
    result = {"english": pairs, "basic": [[text, basic(text)] for text in BASIC]}
    with open(os.path.join(os.path.dirname(__file__), "normalized.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=False, indent=0)
        file.write("\n")


main()

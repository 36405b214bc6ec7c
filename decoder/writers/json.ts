/**
 * JSON, with openai-whisper's names.
 *
 * @module
 */

import type { Segment } from "../segments.ts";
import type { Word } from "../words/word.ts";
import { Float, pythonJson, type PythonValue } from "./python_json.ts";
import type { TranscriptText } from "./transcript.ts";

/** The contents of a `.json` file, byte for byte as openai-whisper writes it: one line with no newline at its end. */
export function writeJson({ text, segments, language }: TranscriptText): string {
  return pythonJson({ text, segments: segments.map(segmentValue), language });
}

function segmentValue(segment: Segment): PythonValue {
  const value = {
    id: segment.id,
    seek: segment.seek,
    start: new Float(segment.start),
    end: new Float(segment.end),
    text: segment.text,
    tokens: segment.tokens,
    temperature: new Float(segment.temperature),
    avg_logprob: new Float(segment.avgLogprob),
    compression_ratio: new Float(segment.compressionRatio),
    no_speech_prob: new Float(segment.noSpeechProb),
  };
  return {
    ...value,
    ...(segment.words && { words: segment.words.map(wordValue) }),
    // Not openai-whisper's, which has one language for all.
    ...(segment.language !== undefined && { language: segment.language }),
  };
}

function wordValue({ word, start, end, probability }: Word): PythonValue {
  return { word, start: new Float(start), end: new Float(end), probability: new Float(probability) };
}

/**
 * Compares a transcript with what openai-whisper's transcribe() returned.
 */

import assert from "node:assert/strict";
import type { TranscriptText, Word } from "../../decoder/mod.ts";

/** A segment under openai-whisper's names. */
interface GoldenSegment {
  id: number;
  seek: number;
  start: number;
  end: number;
  text: string;
  tokens: number[];
  temperature: number;
  avg_logprob: number;
  compression_ratio: number;
  no_speech_prob: number;
  words?: Word[];
}

/** What transcribe() returned, or its rounding to six decimals. */
export interface GoldenTranscript {
  text: string;
  language: string;
  segments: GoldenSegment[];
}

/** Rounding error of the reference, in case it was rounded. */
const ROUNDED = 5e-7;
/** Another device's F32 logits. */
const TOLERANCE = 1e-3;

const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;

/** Fails unless texts, tokens and times are equal, and probabilities as near as two devices' are. */
export function assertSameTranscript(ours: TranscriptText, golden: GoldenTranscript): void {
  assert.equal(ours.text, golden.text);
  assert.equal(ours.language, golden.language);
  assert.equal(ours.segments.length, golden.segments.length);
  golden.segments.forEach((want, i) => {
    const { id, seek, text, tokens, temperature, words, ...segment } = ours.segments[i];
    assert.deepEqual({ id, seek, text, tokens, temperature, words: words?.map(({ word }) => word) }, {
      id: want.id,
      seek: want.seek,
      text: want.text,
      tokens: want.tokens,
      temperature: want.temperature,
      words: want.words?.map(({ word }) => word),
    });
    for (const [j, { word, start, end, probability }] of (want.words ?? []).entries()) {
      const ours = words![j];
      assert(near(ours.start, start, ROUNDED) && near(ours.end, end, ROUNDED), `times of${word} in ${id}`);
      assert(near(ours.probability, probability, TOLERANCE), `probability of${word} in ${id}`);
    }
    assert(
      near(segment.start, want.start, ROUNDED) && near(segment.end, want.end, ROUNDED),
      `times of ${id}`,
    );
    assert(near(segment.compressionRatio, want.compression_ratio, ROUNDED), `compression ratio of ${id}`);
    assert(near(segment.avgLogprob, want.avg_logprob, TOLERANCE), `avg_logprob of ${id}`);
    assert(near(segment.noSpeechProb, want.no_speech_prob, TOLERANCE), `no_speech_prob of ${id}`);
  });
}

/**
 * A decoder that writes what a script says, and remembers what it was asked.
 */

import type { DecoderSession, LoadedDecoder, SessionStep } from "../../kernels/device.ts";
import type { Tokenizer } from "../../decoder/mod.ts";

/** One call of `step()`. */
export interface StepCall {
  readonly tokens: readonly number[];
  readonly position: number;
  readonly rows: readonly number[] | undefined;
}

/** Logits by id; all others are 0. */
export type Scripted = Readonly<Record<number, number>>;

/** How likely a scripted token is against all others of the demo's vocabulary. */
export const LIKELY = 30;

/** Plays one window's script after another. */
export class ScriptedDecoder implements LoadedDecoder {
  readonly dims;
  readonly arithmetic = "none";
  /** Calls of each window. */
  readonly windows: StepCall[][] = [];
  /** Sessions opened and not yet disposed of. */
  open_ = 0;
  readonly #script: readonly (readonly Scripted[])[];

  /**
   * @param script For each window, the logits at each step that continues a transcript; after the last, the end.
   * @param noSpeech Logit of no speech at the start of each window.
   */
  constructor(
    readonly tokenizer: Tokenizer,
    script: readonly (readonly Scripted[])[],
    readonly noSpeech: number = -LIKELY,
  ) {
    this.#script = script;
    this.dims = {
      n_audio_ctx: 1500,
      n_vocab: tokenizer.vocabularySize,
      n_text_ctx: 448,
      n_text_state: 4,
      n_text_head: 1,
      n_text_layer: 1,
    };
  }

  open(): DecoderSession {
    this.open_++;
    let written = 0;
    return {
      setFeatures: () => {
        this.windows.push([]);
        written = 0;
        return Promise.resolve();
      },
      step: (tokens, _sequences, position, rows) => {
        const { special, vocabularySize } = this.tokenizer;
        if (position === 0) written = 0; // the window again, at another temperature
        this.windows.at(-1)!.push({ tokens: [...tokens], position, rows });
        const out = new Float32Array((rows?.length ?? 1) * vocabularySize);
        out[special.noSpeech!] = this.noSpeech;
        const last = out.subarray(out.length - vocabularySize);
        const script = this.#script[this.windows.length - 1] ?? [];
        const logits = script[written++] ?? { [special.eot]: LIKELY };
        for (const [id, logit] of Object.entries(logits)) last[Number(id)] = logit;
        return Promise.resolve(out);
      },
      align: () => Promise.reject(new Error("the script has no attention")),
      reorder: () => Promise.reject(new Error("greedy decoding does not reorder")),
      [Symbol.dispose]: () => {
        this.open_--;
      },
    };
  }

  stepTogether(steps: readonly SessionStep[]): Promise<Float32Array<ArrayBuffer>[]> {
    return Promise.all(
      steps.map(({ session, tokens, sequences, position, rows }) =>
        session.step(tokens, sequences, position, rows)
      ),
    );
  }

  [Symbol.dispose](): void {}
}

/** A script that writes exactly these tokens. */
export function writing(tokens: readonly number[]): Scripted[] {
  return tokens.map((token) => ({ [token]: LIKELY }));
}

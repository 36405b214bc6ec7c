/**
 * Refuses audio that holds NaN or infinity, which would spread over every frame.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { SAMPLE_RATE } from "./constants.ts";

/** Counts non-finite samples over chunks of one recording. */
export class FiniteCheck {
  #seen = 0;
  #bad = 0;
  #first = 0;

  /** Looks at the next samples. */
  see(samples: Float32Array): void {
    for (let i = 0; i < samples.length; i++) {
      if (Number.isFinite(samples[i])) continue;
      if (this.#bad++ === 0) this.#first = this.#seen + i;
    }
    this.#seen += samples.length;
  }

  /** @throws {SottoError} E_AUDIO_VALUES if any sample was NaN or infinite. */
  finish(): void {
    if (this.#bad === 0) return;
    const at = (this.#first / SAMPLE_RATE).toFixed(2);
    const samples = this.#bad === 1 ? "1 non-finite sample" : `${this.#bad} non-finite samples, the first`;
    throw new SottoError("E_AUDIO_VALUES", `Cannot use this audio: ${samples} at ${at} s`, {
      hint: "Convert the file anew, or set those samples to zero.",
    });
  }
}

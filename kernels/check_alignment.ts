/**
 * What every device asks of the arguments of `DecoderSession.align`.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import type { DecoderDimensions } from "../model/dimensions.ts";
import type { AlignmentOptions } from "./device.ts";

/** The arguments; see `DecoderSession.align`. */
export interface AlignmentArguments {
  readonly tokens: Int32Array;
  readonly heads: readonly (readonly [layer: number, head: number])[];
  readonly options: AlignmentOptions;
}

/** Throws E_OPTION unless the arguments fit the decoder. */
export function checkAlignment(
  dims: DecoderDimensions,
  { tokens, heads, options: { start, positions, vocabulary, scores } }: AlignmentArguments,
): void {
  const { n_audio_ctx, n_vocab, n_text_ctx, n_text_layer, n_text_head } = dims;
  const refuse = (rule: string): never => {
    throw new SottoError("E_OPTION", `Cannot align a text: ${rule}`);
  };
  const isIndex = (value: number, below: number) => Number.isInteger(value) && value >= 0 && value < below;
  if (tokens.length < 2 || tokens.length > n_text_ctx) {
    refuse(`need 2…${n_text_ctx} tokens, got ${tokens.length}`);
  }
  const stranger = tokens.find((token) => !isIndex(token, n_vocab));
  if (stranger !== undefined) refuse(`need tokens in 0…${n_vocab - 1}, got ${stranger}`);
  if (heads.length === 0) refuse("need a head or more, got none");
  const foreign = heads.find(([layer, head]) => !isIndex(layer, n_text_layer) || !isIndex(head, n_text_head));
  if (foreign) refuse(`need heads below [${n_text_layer}, ${n_text_head}], got [${foreign}]`);
  if (new Set(heads.map(String)).size < heads.length) {
    refuse(`need different heads, got ${JSON.stringify(heads)}`);
  }
  if (!isIndex(vocabulary - 1, n_vocab)) refuse(`need a vocabulary of 1…${n_vocab} ids, got ${vocabulary}`);
  if (!isIndex(start - 1, tokens.length - 1)) {
    refuse(`need a start of 1…${tokens.length - 1} tokens, got ${start}`);
  }
  if (!isIndex(positions - 1, n_audio_ctx)) refuse(`need 1…${n_audio_ctx} positions, got ${positions}`);
  const size = heads.length * tokens.length * n_audio_ctx;
  if (scores !== undefined && scores.length !== size) {
    refuse(`need room for ${size} scores, got ${scores.length}`);
  }
}

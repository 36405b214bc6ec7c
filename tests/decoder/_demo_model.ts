/**
 * The bundled demo model on the portable device, and its recordings.
 */

import { type TextModel, Tokenizer } from "../../decoder/mod.ts";
import { openDevice } from "../../kernels/select.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { openCheckpoint } from "../../model/open.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

/** Where the demo model lies. */
export const DEMO: string = new URL("models/demo", PROJECT_ROOT).pathname;

/** Its vocabulary. */
export async function demoTokenizer(checkpoint?: Checkpoint): Promise<Tokenizer> {
  const { vocabulary, dims, generation } = checkpoint ?? await openCheckpoint(DEMO);
  return await Tokenizer.from(vocabulary!, {
    vocabularySize: dims.decoder!.n_vocab,
    multilingual: generation?.is_multilingual ?? undefined,
  });
}

/** Its decoder and vocabulary; dispose of `device` and `decoder`. */
export async function demoTextModel(): Promise<TextModel & Disposable> {
  const checkpoint = await openCheckpoint(DEMO);
  using stack = new DisposableStack();
  const device = stack.use(await openDevice("portable"));
  const decoder = stack.use(await device.loadDecoder(checkpoint.dims.decoder!, checkpoint.weights));
  const tokenizer = await demoTokenizer(checkpoint);
  const owned = stack.move();
  return { decoder, tokenizer, [Symbol.dispose]: () => owned.dispose() };
}

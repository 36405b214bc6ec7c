/** Tests that need something from outside the project are ignored, aloud, where it is missing. */

import { type DecoderName, DECODERS, WorkerDecoder } from "../../audio/worker_decoder.ts";
import { SottoError } from "../../errors.ts";

const CONTEXT = { warn: () => {}, signal: new AbortController().signal, timeoutSeconds: 60 };

/** Why a decoder of npm's cannot be loaded here (no network, nothing cached), or null. */
async function whyMissing(name: DecoderName): Promise<string | null> {
  try {
    (await WorkerDecoder.load(DECODERS[name], { name: "a probe", sampleRate: 16_000 }, CONTEXT))
      [Symbol.dispose]();
    return null;
  } catch (error) {
    if (error instanceof SottoError && error.code === "E_DOWNLOAD") return `no ${DECODERS[name].specifier}`;
    throw error;
  }
}

function whyNoFfmpeg(): string | null {
  try {
    new Deno.Command("ffmpeg", { args: ["-version"], stdout: "null", stderr: "null" }).outputSync();
    return null;
  } catch {
    return "no ffmpeg";
  }
}

const asked = new Map<string, Promise<string | null>>();

/** Registers a test that needs decoders of npm's, or the `ffmpeg` program. */
export async function testWith(
  needs: readonly (DecoderName | "ffmpeg")[],
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): Promise<void> {
  const missing: string[] = [];
  for (const need of needs) {
    if (!asked.has(need)) {
      asked.set(need, need === "ffmpeg" ? Promise.resolve(whyNoFfmpeg()) : whyMissing(need));
    }
    const why = await asked.get(need)!;
    if (why !== null) missing.push(why);
  }
  if (missing.length > 0) console.log(`skipped: ${name} (${missing.join(", ")})`);
  Deno.test({ name, ignore: missing.length > 0, fn });
}

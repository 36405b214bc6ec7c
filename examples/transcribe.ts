/**
 * Transcribes audio files: `deno run -A examples/transcribe.ts talk.mp3`; `--help` lists the options.
 *
 * @module
 */

import { run } from "../cli/run.ts";

if (import.meta.main) Deno.exit(await run(Deno.args));

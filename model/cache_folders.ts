/**
 * Where models are kept on this machine: by sotto, by Hugging Face's libraries, by openai-whisper.
 *
 * @module
 */

import { join } from "node:path";

/** Cache folders, whether they exist or not; null where the environment does not tell. */
export interface CacheFolders {
  /** `$SOTTO_CACHE`, else `sotto` in the user's cache folder. */
  readonly sotto: string | null;
  /** `$HF_HUB_CACHE`, else `$HF_HOME/hub`, else `huggingface/hub` in the user's cache folder. */
  readonly huggingFace: string | null;
  /** `whisper` in the user's cache folder. */
  readonly openaiWhisper: string | null;
}

/**
 * The cache folders that the environment names. Reads `SOTTO_CACHE`, `XDG_CACHE_HOME`, `HOME` (`USERPROFILE` on
 * Windows), `HF_HUB_CACHE` and `HF_HOME`, each only if Deno allows it already; nothing is asked of the user.
 */
export function cacheFolders(): CacheFolders {
  const home = variable(Deno.build.os === "windows" ? "USERPROFILE" : "HOME");
  const cache = variable("XDG_CACHE_HOME") ?? (home && join(home, ".cache"));
  const huggingFaceHome = variable("HF_HOME") ?? (cache && join(cache, "huggingface"));
  return {
    sotto: variable("SOTTO_CACHE") ?? (cache && join(cache, "sotto")),
    huggingFace: variable("HF_HUB_CACHE") ?? (huggingFaceHome && join(huggingFaceHome, "hub")),
    openaiWhisper: cache && join(cache, "whisper"),
  };
}

/** An environment variable, or null if it is unset, empty or not allowed. */
function variable(name: string): string | null {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return null;
  return Deno.env.get(name) || null;
}

/**
 * The body of a URL, whole.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { fetchFailure } from "../fetch_failure.ts";
import { throwIfAborted } from "../abort.ts";
import type { ReadContext } from "./types.ts";

/** Bytes of a body at most. A longer recording belongs in a file, which is read in pieces. */
const MAX_BODY_BYTES = 1 << 30;

/**
 * Fetches a recording. A server that sends nothing for the time-out is given up.
 *
 * @throws {SottoError} E_PERMISSION, E_DOWNLOAD, E_ABORTED.
 */
export async function fetchBytes(url: URL, context: ReadContext): Promise<Uint8Array<ArrayBuffer>> {
  const permission = await Deno.permissions.query({ name: "net", host: url.host });
  if (permission.state !== "granted") {
    throw new SottoError("E_PERMISSION", `Cannot fetch ${url.href} because that host is not permitted`, {
      hint: `Run again with --allow-net=${url.host}`,
    });
  }
  const stall = new AbortController();
  const seconds = context.timeoutSeconds;
  let timer = setTimeout(() => stall.abort(), seconds * 1000);
  let got = 0;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([context.signal, stall.signal]) });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw failed(url, `the server must answer 200: got ${response.status} ${response.statusText}`);
    }
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const part of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), seconds * 1000);
      parts.push(part);
      got += part.length;
      if (got > MAX_BODY_BYTES) throw failed(url, `it must be at most ${MAX_BODY_BYTES} bytes: got more`);
    }
    const bytes = new Uint8Array(got);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  } catch (error) {
    if (error instanceof SottoError) throw error;
    throwIfAborted(context.signal, `Reading ${url.href}`);
    if (stall.signal.aborted) {
      throw failed(url, `the server sent nothing for ${seconds} s after ${got} bytes`, error);
    }
    throw failed(url, got === 0 ? fetchFailure(error) : `${fetchFailure(error)}, after ${got} bytes`, error);
  } finally {
    clearTimeout(timer);
  }
}

function failed(url: URL, reason: string, cause?: unknown): SottoError {
  return new SottoError("E_DOWNLOAD", `Cannot fetch ${url.href} because ${reason}`, {
    hint: "Check the address and the network.",
    cause,
  });
}

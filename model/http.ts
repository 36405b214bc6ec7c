/**
 * HTTP requests for files, with a stall time-out and redirects followed by hand: a redirect may not leave https, and
 * its own headers carry what the hub knows of the file.
 *
 * @module
 */

import { SottoError } from "../errors.ts";
import { fetchFailure } from "../fetch_failure.ts";

/** Most redirects followed. */
const MAX_REDIRECTS = 5;

/** Options of a request. */
export interface RequestOptions {
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborts the request and the reading of its body. */
  readonly signal: AbortSignal;
}

/** A final response, and the header fields of every response on the way to it. */
export interface HttpAnswer {
  readonly response: Response;
  /** The first of the answers that has it, redirects included. */
  readonly header: (name: string) => string | null;
}

/**
 * Requests a file.
 *
 * @returns The final answer, of whichever status; its body must be read or cancelled.
 * @throws {SottoError} E_DOWNLOAD if no answer comes or a redirect leads to plain http on another host;
 * E_PERMISSION if Deno does not allow the host.
 */
export async function request(
  url: string,
  { method = "GET", headers, signal }: RequestOptions,
): Promise<HttpAnswer> {
  const answers: Response[] = [];
  for (let target = new URL(url);;) {
    const response = await fetchOnce(target, { method, headers, signal, redirect: "manual" });
    answers.push(response);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) {
      return {
        response,
        header: (name) =>
          answers.map(({ headers }) => headers.get(name)).find((value) => value !== null) ?? null,
      };
    }
    await response.body?.cancel();
    if (answers.length > MAX_REDIRECTS) {
      throw new SottoError("E_DOWNLOAD", `Cannot download ${url}: more than ${MAX_REDIRECTS} redirects`);
    }
    const next = URL.canParse(location, target) ? new URL(location, target) : null;
    if (next === null || (next.protocol !== "https:" && next.origin !== target.origin)) {
      throw new SottoError(
        "E_DOWNLOAD",
        `Cannot download ${url}: it redirects to ${location}, which is not https`,
        {
          hint: "A proxy or a login page of the network may be in the way.",
        },
      );
    }
    target = next;
  }
}

async function fetchOnce(url: URL, init: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
  try {
    // Without identity, a compressed body has no length to check.
    return await fetch(url, { ...init, headers: { "accept-encoding": "identity", ...init.headers } });
  } catch (error) {
    if (init.signal.aborted) throw init.signal.reason;
    if (error instanceof Deno.errors.NotCapable) {
      throw new SottoError("E_PERMISSION", `Cannot download from ${url.host}: Deno was not allowed to`, {
        hint: `Run again with --allow-net=${url.host}`,
        cause: error,
      });
    }
    throw new SottoError("E_DOWNLOAD", `Cannot reach ${url.host}: ${fetchFailure(error)}`, {
      hint: "Check the network and the proxy, or give the path of a model that is on this machine.",
      cause: error,
    });
  }
}

/**
 * Why a request got no answer.
 *
 * @module
 */

/** What Deno's message begins with, the URL in it, which sotto's own messages have named already. */
const PREFIX = /^error sending request( for url \(.*?\)|from \S+ for \S+ \(.*?\))?: /;

/**
 * The reason in the words of the system, such as `Connection refused`: `fetch` itself says `fetch failed` and keeps
 * the reason underneath.
 */
export function fetchFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message } = error.cause instanceof Error ? error.cause : error;
  return message.replace(PREFIX, "").replaceAll(/\s+/g, " ");
}

/**
 * Live audio to text.
 *
 * @module
 */

export type { LiveUpdate } from "./phrase_reader.ts";
export { type LiveOptions, type LiveTranscript, transcribeStream } from "./transcribe_stream.ts";

/**
 * Live audio to text.
 *
 * @module
 */

export { type LiveOptions, type LiveUpdate, transcribeStream } from "./transcribe_stream.ts";

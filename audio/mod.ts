/**
 * From a file, its bytes or a URL to 16 kHz mono samples, in constant memory.
 *
 * @module
 */

export { checkTimeout, loadAudio, openAudio } from "./open.ts";
export type { AudioInfo, AudioInput, AudioOptions, AudioSource, PcmStream } from "./types.ts";
export { CHUNK_SAMPLES, SAMPLE_RATE } from "./types.ts";
export { decodeWav, type WavAudio, type WavEncoding } from "./wav.ts";

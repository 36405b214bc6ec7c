/**
 * Log-mel windows in, audio features out.
 *
 * @module
 */

export { Encoder, type EncoderOptions, type EncoderWeights } from "./encoder.ts";
export { planEncoder } from "./plan.ts";
export { type Precision, PRECISIONS } from "./precision.ts";

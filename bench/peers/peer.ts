/**
 * A library that runs the same encoder: what is asked of it, whatever it is written in.
 *
 * @module
 */

/** What the products of an encoder are computed in. */
export type Arithmetic = "f32" | "bf16" | "f16" | "int8";

/** An encoder in another library, ready to run on the window that is measured. */
export interface EncoderPeer {
  /** With version and number format. */
  readonly name: string;
  readonly arithmetic: Arithmetic;
  /** What its time counts beside the encoder, if anything. */
  readonly note?: string;
  /** How many rounds are enough of it; default as many as there are. */
  readonly mostRounds?: number;
  /** Whether each run warms up by itself, so that the first counts. */
  readonly warmsUp?: boolean;
  /** Encodes once; gives the seconds that took. */
  time(): Promise<number>;
  /** Features of the window, F32 [n_audio_ctx, n_audio_state]; null if it shows none. */
  features(): Promise<Float32Array | null>;
}

/** Peers of one kind, and a line for each that could not be had. */
export interface FoundPeers {
  readonly peers: readonly EncoderPeer[];
  readonly missing: readonly string[];
}

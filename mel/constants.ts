/**
 * The front end's numbers, under the names openai-whisper gives them (`whisper/audio.py`), each derived from
 * those it follows from.
 *
 * @module
 */

/** Samples per second of all audio that reaches the model. */
export const SAMPLE_RATE = 16_000;
/** Samples under one frame's window: 25 ms. */
export const N_FFT = 400;
/** Samples from one frame to the next: 10 ms. */
export const HOP_LENGTH = 160;
/** Seconds of audio the encoder sees at once. */
export const CHUNK_LENGTH = 30;

/** Samples of a window: 480,000. */
export const N_SAMPLES: number = CHUNK_LENGTH * SAMPLE_RATE;
/** Log-mel frames of a window: 3000. */
export const N_FRAMES: number = N_SAMPLES / HOP_LENGTH;
/** Log-mel frames per second: 100. */
export const FRAMES_PER_SECOND: number = SAMPLE_RATE / HOP_LENGTH;
/** Samples under one position of the encoder's output, whose second convolution has stride 2: 20 ms. */
export const N_SAMPLES_PER_TOKEN: number = 2 * HOP_LENGTH;
/** Encoder positions, and steps of a timestamp, per second: 50. */
export const TOKENS_PER_SECOND: number = SAMPLE_RATE / N_SAMPLES_PER_TOKEN;

/** Frequencies of a frame's spectrum, 0…8000 Hz in steps of 40: 201. */
export const N_BINS: number = N_FFT / 2 + 1;
/** Samples before the first hop that the first frame reaches back over: frames are centred on their hop. */
export const CENTER_PADDING: number = N_FFT / 2;
/** log10 of the smallest mel power told apart from silence (`clamp(min=1e-10)`). */
export const LOG_FLOOR: number = -10;

import { ok, strictEqual, throws } from "node:assert/strict";
import { planEncoder } from "../../encoder/plan.ts";
import { ALIGNMENT, bufferLifetimes, layOutBuffers } from "../../kernels/cpu/plan_buffers.ts";
import type { BufferSpec, Plan, Step } from "../../kernels/step.ts";

const BASE = { n_mels: 80, n_audio_ctx: 1500, n_audio_state: 512, n_audio_head: 8, n_audio_layer: 6 };
const SIZES = [
  BASE,
  { ...BASE, n_audio_state: 384, n_audio_head: 6, n_audio_layer: 4 },
  { ...BASE, n_mels: 128, n_audio_state: 1280, n_audio_head: 20, n_audio_layer: 32 },
  { n_mels: 3, n_audio_ctx: 5, n_audio_state: 6, n_audio_head: 2, n_audio_layer: 1 },
  { ...BASE, n_audio_layer: 0 },
];

/** Fails if two buffers that are alive at once share a float, or one lies outside the arena or unaligned. */
function requireSound(plan: Plan): void {
  const { offsets, arena } = layOutBuffers(plan);
  const lifetimes = bufferLifetimes(plan);
  plan.buffers.forEach(({ rows, columns }, a) => {
    strictEqual(offsets[a] % ALIGNMENT, 0);
    ok(offsets[a] >= 0 && offsets[a] + rows * columns <= arena);
    for (let b = 0; b < a; b++) {
      const together = lifetimes[a].some((x) =>
        lifetimes[b].some((y) => x.first <= y.last && y.first <= x.last)
      );
      const apart = offsets[a] + rows * columns <= offsets[b] ||
        offsets[b] + plan.buffers[b].rows * plan.buffers[b].columns <= offsets[a];
      ok(
        apart || !together,
        `${plan.buffers[a].name} and ${plan.buffers[b].name} overlap while both are alive`,
      );
    }
  });
}

for (const dims of SIZES) {
  Deno.test(`layOutBuffers() keeps buffers of the encoder apart (${Object.values(dims)})`, () => {
    requireSound(planEncoder(dims));
  });
}

Deno.test("layOutBuffers() gives the base encoder no more than is alive at its widest step", () => {
  const plan = planEncoder(BASE);
  const { arena } = layOutBuffers(plan);
  // In the MLP: the hidden values [T, 4C], the residual stream and the normed rows [T, C].
  strictEqual(arena, 6 * 1500 * 512);
});

/** A plan of layer norms, which read one buffer and write one. */
function chain(
  sizes: readonly number[],
  pairs: readonly (readonly [number, number])[],
  output: number,
): Plan {
  const buffers: BufferSpec[] = sizes.map((columns, id) => ({ name: `b${id}`, rows: 1, columns }));
  const steps: Step[] = pairs.map(([input, output]) => ({
    op: "layernorm",
    input,
    output,
    weight: 0,
    bias: 0,
    rows: 1,
    columns: 1,
  }));
  return { buffers, weights: [], steps, input: 0, output };
}

Deno.test("layOutBuffers() keeps random plans sound", () => {
  let state = 1;
  const random = (below: number) => (state = state * 48271 % 0x7fffffff) % below; // Lehmer, as in C++'s minstd_rand
  for (let round = 0; round < 300; round++) {
    const count = 2 + random(8);
    const sizes = Array.from({ length: count }, () => 1 + random(100));
    const written = [0];
    const pairs = Array.from({ length: 1 + random(12) }, () => {
      const pair = [written[random(written.length)], random(count)] as const;
      written.push(pair[1]);
      return pair;
    });
    requireSound(chain(sizes, pairs, written[random(written.length)]));
  }
});

Deno.test("layOutBuffers() keeps the input alive until its last reader and the output to the end", () => {
  const plan = chain([16, 16, 16, 16], [[0, 1], [1, 2], [0, 3]], 1);
  requireSound(plan);
  const { offsets } = layOutBuffers(plan);
  strictEqual(new Set([offsets[0], offsets[1], offsets[2]]).size, 3, "0, 1 and 2 are alive together");
});

Deno.test("bufferLifetimes() refuses a step that reads what nobody wrote", () => {
  throws(
    () => bufferLifetimes(chain([1, 1, 1], [[2, 1]], 1)),
    /step 0 \(layernorm\) reads "b2", which nothing/,
  );
  throws(() => bufferLifetimes(chain([1, 1, 1], [[0, 1], [2, 2]], 1)), /step 1 .* reads "b2", which nothing/);
});

import assert from "node:assert/strict";
import { SampleQueue } from "../../live/sample_queue.ts";

Deno.test("SampleQueue gives chunks in order, and ends", async () => {
  const queue = new SampleQueue(100);
  queue.push(Float32Array.of(1, 2));
  queue.push(new Float32Array(0));
  const read: number[] = [];
  const reader = (async () => {
    for await (const chunk of queue) read.push(...chunk);
  })();
  queue.push(Float32Array.of(3));
  await queue.room();
  queue.end();
  await reader;
  assert.deepEqual(read, [1, 2, 3]);
});

Deno.test("SampleQueue.room() waits for a reader that falls behind", async () => {
  const queue = new SampleQueue(2);
  queue.push(Float32Array.of(1, 2));
  let hasRoom = false;
  const waiting = queue.room().then(() => hasRoom = true);
  await Promise.resolve();
  assert.equal(hasRoom, false);
  await queue[Symbol.asyncIterator]().next();
  await waiting;
  assert(hasRoom);
});

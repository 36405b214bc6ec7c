import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { CallLimit } from "../../ffi/call_limit.ts";
import type { SottoError } from "../../errors.ts";

/** Tasks that end when they are told to. */
function gates(limit: CallLimit, count: number) {
  const begun: number[] = [];
  const ends = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const results = ends.map(({ promise }, i) =>
    limit.run(() => {
      begun.push(i);
      return promise;
    })
  );
  return { begun, ends, results };
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

Deno.test("CallLimit runs as many tasks as it may, the others in order", async () => {
  const { begun, ends, results } = gates(new CallLimit(2), 5);
  await turn();
  deepStrictEqual(begun, [0, 1]);
  ends[1].resolve(11);
  strictEqual(await results[1], 11);
  await turn();
  deepStrictEqual(begun, [0, 1, 2]);
  ends[2].reject(new Error("task 2"));
  await rejects(results[2], /task 2/);
  await turn();
  deepStrictEqual(begun, [0, 1, 2, 3]);
  [0, 3, 4].forEach((i) => ends[i].resolve(i));
  deepStrictEqual(await Promise.all([results[0], results[3], results[4]]), [0, 3, 4]);
});

Deno.test("CallLimit lets a waiting task be aborted and keeps the places of the others", async () => {
  const limit = new CallLimit(1);
  const { begun, ends, results } = gates(limit, 1);
  const controller = new AbortController();
  const waiting = limit.run(() => Promise.resolve("never"), controller.signal);
  const behind = limit.run(() => Promise.resolve("behind"));
  controller.abort("enough");
  await rejects(waiting, (error: SottoError) => error.code === "E_ABORTED" && error.cause === "enough");
  deepStrictEqual(begun, [0]);
  ends[0].resolve(0);
  strictEqual(await results[0], 0);
  strictEqual(await behind, "behind");
  strictEqual(await limit.run(() => Promise.resolve("free again")), "free again");
});

Deno.test("CallLimit refuses a task whose signal is aborted already", async () => {
  const run = new CallLimit(1).run(() => Promise.resolve(), AbortSignal.abort());
  await rejects(run, (error: SottoError) => error.code === "E_ABORTED");
});

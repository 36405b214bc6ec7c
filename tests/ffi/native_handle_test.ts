import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import type { SottoError } from "../../errors.ts";
import { NativeHandle } from "../../ffi/native_handle.ts";
import type { ErrorText } from "../../ffi/native_call.ts";
import { SottoStatus } from "../../ffi/cpu_symbols.ts";

class Thing extends NativeHandle {
  readonly destroyed: bigint[];

  constructor(atOnce?: number, handle = 7n) {
    const destroyed: bigint[] = [];
    super("thing", handle, (handle) => void destroyed.push(handle), atOnce);
    this.destroyed = destroyed;
  }

  work(invoke: (handle: bigint, error: ErrorText) => Promise<number>, signal?: AbortSignal): Promise<void> {
    return this.call("thing_work", invoke, signal);
  }

  static together(
    things: readonly Thing[],
    invoke: (handles: BigUint64Array<ArrayBuffer>) => Promise<number>,
  ): Promise<void> {
    return this.callTogether(things, "thing_work", invoke);
  }
}

const busy = (error: SottoError) => error.code === "E_BUSY";

Deno.test("NativeHandle is destroyed once, and its later calls are refused", async () => {
  const thing = new Thing();
  await thing.work((handle) => Promise.resolve(handle === 7n ? SottoStatus.SOTTO_OK : SottoStatus.SOTTO_IO));
  thing[Symbol.dispose]();
  thing[Symbol.dispose]();
  deepStrictEqual(thing.destroyed, [7n]);
  throws(() => thing.handle, busy);
  await rejects(thing.work(() => Promise.resolve(0)), busy);
});

Deno.test("NativeHandle refuses disposal during a call; asyncDispose waits for it and for those queued", async () => {
  const thing = new Thing(1);
  const first = Promise.withResolvers<number>();
  const order: string[] = [];
  const running = thing.work(() => first.promise).then(() => order.push("first"));
  const queued = thing.work(() => Promise.resolve(0)).then(() => order.push("second"));
  throws(() => thing[Symbol.dispose](), busy);
  const disposal = thing[Symbol.asyncDispose]().then(() => order.push("disposed"));
  deepStrictEqual(thing.destroyed, []);
  first.resolve(SottoStatus.SOTTO_OK);
  await Promise.all([running, queued, disposal]);
  deepStrictEqual(order, ["first", "second", "disposed"]);
  deepStrictEqual(thing.destroyed, [7n]);
});

Deno.test("NativeHandle turns a status into one exception and is free afterwards", async () => {
  const thing = new Thing();
  const failing = thing.work((_handle, [text]) => {
    new TextEncoder().encodeInto("Cannot work because of rain\0", text);
    return Promise.resolve(SottoStatus.SOTTO_NON_FINITE);
  });
  await rejects(failing, {
    name: "SottoError",
    code: "E_MODEL_VALUES",
    message: "Cannot work because of rain (thing_work: SOTTO_NON_FINITE)",
  });
  thing[Symbol.dispose]();
  strictEqual(thing.destroyed.length, 1);
});

Deno.test("NativeHandle keeps no more calls in flight than there are cores, over all handles", async () => {
  const most = navigator.hardwareConcurrency;
  const things = Array.from({ length: most + 3 }, () => new Thing());
  let inFlight = 0;
  let peak = 0;
  const work = async () => {
    peak = Math.max(peak, ++inFlight);
    await new Promise((resolve) => setTimeout(resolve, 1));
    inFlight--;
    return SottoStatus.SOTTO_OK;
  };
  await Promise.all(things.flatMap((thing) => [thing.work(work), thing.work(work)]));
  strictEqual(peak, most);
});

Deno.test("NativeHandle refuses disposal of all objects of a call, even before it is their turn", async () => {
  const [a, b] = [new Thing(1, 1n), new Thing(1, 2n)];
  const first = Promise.withResolvers<number>();
  const running = a.work(() => first.promise);
  const given: bigint[][] = [];
  const together = Thing.together([b, a], (handles) => {
    given.push([...handles]);
    return Promise.resolve(SottoStatus.SOTTO_OK);
  });
  throws(() => b[Symbol.dispose](), busy);
  deepStrictEqual(given, []);
  first.resolve(SottoStatus.SOTTO_OK);
  await Promise.all([running, together]);
  deepStrictEqual(given, [[2n, 1n]]);
  b[Symbol.dispose]();
  deepStrictEqual(b.destroyed, [2n]);
});

Deno.test("NativeHandle's calls on several objects do not wait for each other in a circle", async () => {
  const [a, b, c] = [1n, 2n, 3n].map((handle) => new Thing(1, handle));
  const served: string[] = [];
  const call = (...things: Thing[]) =>
    Thing.together(things, async (handles) => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      served.push(handles.join());
      return SottoStatus.SOTTO_OK;
    });
  await Promise.all([call(a, b), call(b, c), call(c, a), call(b, a)]);
  deepStrictEqual(served.toSorted(), ["1,2", "2,1", "2,3", "3,1"]);
});

import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import type { SottoError } from "../../errors.ts";
import { NativeHandle } from "../../ffi/native_handle.ts";
import type { ErrorText } from "../../ffi/native_call.ts";
import { SottoStatus } from "../../ffi/cpu_symbols.ts";

class Thing extends NativeHandle {
  readonly destroyed: bigint[];

  constructor(atOnce?: number) {
    const destroyed: bigint[] = [];
    super("thing", 7n, (handle) => void destroyed.push(handle), atOnce);
    this.destroyed = destroyed;
  }

  work(invoke: (handle: bigint, error: ErrorText) => Promise<number>, signal?: AbortSignal): Promise<void> {
    return this.call("thing_work", invoke, signal);
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

import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import type { LiveOptions } from "../../mod.ts";
import { HAS_LIBRARY } from "../support/cpu_library.ts";
import { bundled, cut, joined, noise, silence } from "../voice/_recordings.ts";
import { live, load } from "./_live.ts";

Deno.test("transcribeStream() shows words within a second, commits them for good, and ends phrases at pauses", async () => {
  using model = await load();
  const command = await bundled("01_command");
  const question = cut(await bundled("08_commands"), 0, 2.9);
  const { updates, transcript: { captions } } = await live(model, joined(command, silence(1), question));
  // Speech begins at 0.4 s: half a second of it is there at 1 s.
  const first = updates.find(({ committed, partial }) => committed + partial !== "");
  assert(first!.heard <= 1.5, `first words after ${first!.heard} s`);
  assert(updates.some(({ partial }) => partial !== ""));
  assert(
    updates.some(({ committed, segment }) => committed !== "" && segment === null),
    "words before the pause",
  );

  assert.equal(updates.map(({ committed }) => committed).join(""), captions.text);
  assert.equal(captions.segments.map(({ text }) => text).join(""), captions.text);
  assert.equal(
    captions.text,
    " The train to Paris leaves at three twenty-four from platform twenty-four." +
      " We need eighty-two bottles and some rice.",
  );
  assert.deepEqual(captions.segments.map(({ id }) => id), [0, 1]);
  let last = 0;
  for (const { start, end, words } of captions.segments) {
    assert(start >= last && end >= start);
    for (const word of words!) {
      assert(word.start >= last - 1e-9 && word.end >= word.start, `${word.word} at ${word.start}`);
      last = word.end;
    }
  }
  assert(Math.abs(captions.segments[1].start - 6.4) < 1, `starts at ${captions.segments[1].start}`);
});

Deno.test("transcribeStream() cuts speech without pauses, and no word comes twice", async () => {
  using model = await load();
  const one = cut(await bundled("01_command"), 0.35, 4.55);
  const times = HAS_LIBRARY ? 9 : 7;
  const { transcript: { captions }, updates } = await live(model, joined(...new Array(times).fill(one)), {
    language: "en",
    pause: 2,
    interval: HAS_LIBRARY ? 0.5 : 4,
  });
  assert(captions.segments.length >= 2, "it was cut");
  assert.equal(updates.map(({ committed }) => committed).join(""), captions.text);
  const trains = captions.text.match(/train/g)?.length ?? 0;
  assert(Math.abs(trains - times) <= 1, `${trains} trains of ${times}: ${captions.text}`);
});

Deno.test("transcribeStream() writes nothing where nobody speaks, and takes streams of any length", async () => {
  using model = await load();
  for (
    const samples of [silence(0), silence(4), noise(4, 0.01), new Float32Array(1), new Float32Array(4001)]
  ) {
    const { transcript } = await live(model, samples);
    assert.deepEqual([transcript.captions, transcript.text], [{ text: "", segments: [] }, ""]);
  }
});

Deno.test("transcribeStream() finds the language, and keeps that of the first phrase", async () => {
  using model = await load();
  const { transcript } = await live(model, joined(await bundled("06_german"), silence(1)), {});
  assert.equal(transcript.language, "de");
  assert.match(transcript.captions.text, /^ Setze Brot und .* auf die Einkaufsliste\.$/);
});

Deno.test("transcribeStream() stops at a signal, finishes at a stop, and passes failures on", async () => {
  using model = await load();
  const endless = async function* () {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      yield silence(0.5);
    }
  };
  const abort = new AbortController();
  const isAborted = (error: unknown) => error instanceof SottoError && error.code === "E_ABORTED";
  await assert.rejects(async () => {
    for await (const { heard } of model.transcribeStream(endless(), { signal: abort.signal })) {
      if (heard > 1) abort.abort();
    }
  }, isAborted);

  const stop = new AbortController();
  for await (const { heard } of model.transcribeStream(endless(), { stop: stop.signal })) {
    if (heard > 1) stop.abort();
  }

  const failing = async function* () {
    yield silence(1);
    await Promise.reject(new Error("unplugged"));
  };
  await assert.rejects(async () => {
    for await (const _ of model.transcribeStream(failing()));
  }, /unplugged/);
  const broken = async function* () {
    yield await Promise.resolve(Float32Array.of(0, NaN));
  };
  await assert.rejects(
    async () => {
      for await (const _ of model.transcribeStream(broken()));
    },
    (error) => error instanceof SottoError && error.code === "E_AUDIO_VALUES",
  );
});

Deno.test("transcribeStream() refuses options out of range before it reads", async () => {
  using model = await load();
  const never = { [Symbol.asyncIterator]: () => assert.fail("it reads") };
  for (
    const options of [
      { interval: 0 },
      { pause: 9 },
      { language: "Klingon" },
      { beamSize: 0 },
      { patience: 2 },
    ] as LiveOptions[]
  ) {
    await assert.rejects(
      model.transcribeStream(never, options).next(),
      (error) => error instanceof SottoError && error.code === "E_OPTION",
    );
  }
});

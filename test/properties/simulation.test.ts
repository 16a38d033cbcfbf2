import { expect, it } from 'vitest';
import { MUTANTS } from '../simulation/mutants.ts';
import { playLife, playSeeds, shortest } from '../simulation/simulate.ts';
import { parseTape, seeded, shrink, tapeText } from '../simulation/tape.ts';

/** The whole run of 20,000 is a layer of `.ci/run`. */
const SEEDS = 1_500;

it('whatever happens in the life of an order happens once at each ERP', async () => {
  const { seeds, failures, counts } = await playSeeds(1, 1 + SEEDS, 1);
  expect(failures).toEqual([]);
  expect(seeds).toBe(SEEDS);
  // It really happened: a world without faults would prove nothing.
  const kinds =
    'crash-before crash-after stall refused lost-before lost-after half-done late-write storage-before storage-after';
  for (const kind of kinds.split(' ')) expect(counts[kind], kind).toBeGreaterThan(100);
  const events =
    'webhooksLost reconciled duplicated delayed fetched outages pauses redriven staffEdits tooLate parked forgotten swept';
  for (const kind of events.split(' ')) expect(counts[kind], kind).toBeGreaterThan(100);
}, 300_000);

/** How many seeds a missing guard may hide for. */
const BUDGET = 2_000;

it.each(Object.keys(MUTANTS))(
  'notices: %s',
  async (name) => {
    const { failures } = await playSeeds(1, 1 + BUDGET, 1, MUTANTS[name], 1);
    expect(failures).toHaveLength(1);
  },
  300_000,
);

it('a seed plays the same story every time, and so does its tape', async () => {
  const recording = seeded(7);
  const { story } = await playLife(recording);
  expect(story.length).toBeGreaterThan(20);
  expect((await playLife(seeded(7))).story).toEqual(story);
  expect((await playLife(parseTape(tapeText(recording.tape)))).story).toEqual(story);
});

it('a world without a tape has no faults, and one order', async () => {
  const { problems, counts, story } = await playLife([]);
  expect(problems).toEqual([]);
  expect(counts).toEqual({ changes: 1 });
  expect(story.filter((line) => line.includes(': written '))).toHaveLength(2);
});

it('a failing seed is shortened to a story that fails in the same way', async () => {
  const { tape, played } = await shortest(1, MUTANTS['key without the connection'], 300);
  const again = await playLife(parseTape(tapeText(tape)), MUTANTS['key without the connection']);
  expect(again).toEqual(played);
  expect(played.problems).not.toEqual([]);
  expect(played.story.length).toBeLessThan(30);
}, 60_000);

it.each([
  [[], ''],
  [[0, 0], ''],
  [[0, 0, 0, 7, 1, 1, 0], '0x3,7,1x2'],
])('the tape %j is written %j', (tape, text) => {
  expect(tapeText(tape)).toBe(text);
  expect(parseTape(text)).toEqual(tape.slice(0, tape.findLastIndex((value) => value !== 0) + 1));
});

it.each(['x', '1,,2', '-1', '1x', '99999999999'])('%j is no tape', (text) => {
  expect(() => parseTape(text)).toThrow(RangeError);
});

it('shortens to what makes the difference', async () => {
  const fails = async (tape: readonly number[]) => tape.some((value) => value >= 5);
  expect(await shrink([1, 2, 9, 0, 3, 8, 1], fails, 1_000)).toEqual([5]);
});

it('gives up after so many tries', async () => {
  let tries = 0;
  const fails = async () => {
    tries += 1;
    return false;
  };
  expect(await shrink([1, 2, 3], fails, 2)).toEqual([1, 2, 3]);
  expect(tries).toBe(2);
});

import { describe, expect, it } from 'vitest';
import { putEvents } from '../../../infra/local/event-bus.ts';
import type { RulePlan, TargetPlan } from '../../../infra/local/plan.ts';

interface Delivered {
  readonly to: string;
  readonly body: unknown;
  readonly options?: unknown;
}
const busWith = (rules: Partial<RulePlan>[], refuses: readonly string[] = []) => {
  const delivered: Delivered[] = [];
  const put = putEvents({
    buses: ['default', 'commerce'],
    rules: rules.map((rule) => ({
      ...{ name: 'R', arn: 'arn:rule', bus: 'commerce', pattern: { source: ['shop'] }, targets: [] },
      ...rule,
    })),
    region: 'eu-west-1',
    nowMs: () => Date.parse('2026-08-05T10:11:12.345Z'),
    delivery: {
      toQueue: (to, body, options) => {
        if (refuses.includes(to)) throw new Error(`${to} is full`);
        delivered.push({
          to,
          body: JSON.parse(body),
          ...(Object.keys(options).length > 0 ? { options } : {}),
        });
      },
      toFunction: (to, body) => void delivered.push({ to, body: JSON.parse(body) }),
    },
  });
  const call = (...entries: Record<string, unknown>[]) =>
    put({ Entries: entries }) as { FailedEntryCount: number; Entries: Record<string, unknown>[] };
  return { call, delivered };
};
const queueTarget = (more: Partial<TargetPlan> = {}): TargetPlan => ({ kind: 'queue', arn: 'q', ...more });
const entry = (more: Record<string, unknown> = {}) => ({
  ...{
    Source: 'shop',
    DetailType: 'order.changed.v1',
    Detail: '{"total":5,"shop":"acme"}',
    EventBusName: 'commerce',
  },
  ...more,
});

describe('PutEvents', () => {
  it('wraps the detail in the envelope that targets get', () => {
    const { call, delivered } = busWith([{ targets: [queueTarget()] }]);
    const answer = call(entry({ Resources: ['arn:x'], Time: 1_700_000_000 }));
    expect(answer).toEqual({
      FailedEntryCount: 0,
      Entries: [{ EventId: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
    });
    expect(delivered).toEqual([
      {
        to: 'q',
        body: {
          version: '0',
          id: answer.Entries[0]?.['EventId'],
          'detail-type': 'order.changed.v1',
          source: 'shop',
          account: '000000000000',
          time: '2023-11-14T22:13:20Z',
          region: 'eu-west-1',
          resources: ['arn:x'],
          detail: { total: 5, shop: 'acme' },
        },
      },
    ]);
  });

  it('stamps events without a time, to the second', () => {
    const { call, delivered } = busWith([{ targets: [queueTarget()] }]);
    call(entry());
    expect(delivered[0]?.body).toMatchObject({ time: '2026-08-05T10:11:12Z', resources: [] });
  });

  it('delivers to every target of every matching rule of that bus', () => {
    const { call, delivered } = busWith([
      { targets: [queueTarget(), { kind: 'function', arn: 'f' }] },
      { targets: [queueTarget({ arn: 'other-bus' })], bus: 'default' },
      { targets: [queueTarget({ arn: 'other-source' })], pattern: { source: ['erp'] } },
      { targets: [queueTarget({ arn: 'constant', input: '{"poll":true}' })] },
    ]);
    call(entry());
    expect(delivered.map(({ to }) => to)).toEqual(['q', 'f', 'constant']);
    expect(delivered[2]?.body).toEqual({ poll: true });
  });

  it('takes a bus by its ARN too, and the default bus when none is named', () => {
    const { call, delivered } = busWith([
      { targets: [queueTarget()] },
      { targets: [queueTarget({ arn: 'd' })], bus: 'default' },
    ]);
    call(
      entry({ EventBusName: 'arn:aws:events:eu-west-1:000000000000:event-bus/commerce' }),
      entry({ EventBusName: undefined }),
    );
    expect(delivered.map(({ to }) => to)).toEqual(['q', 'd']);
  });

  it.each([
    ['a constant', 'group', 'group'],
    ['a path into the event', '$.detail.shop', 'acme'],
    ['a path to a number', '$.detail.total', '5'],
    ['a path to nothing', '$.detail.nobody', undefined],
  ])('message group from %s', (_name, messageGroupId, expected) => {
    const { call, delivered } = busWith([{ targets: [queueTarget({ messageGroupId })] }]);
    call(entry());
    expect(delivered[0]?.options).toEqual(expected === undefined ? undefined : { messageGroupId: expected });
  });

  it.each([
    [
      'no source',
      { Source: undefined },
      'InvalidArgument',
      'Parameter Source is not valid. Reason: Source is a required argument.',
    ],
    [
      'no detail type',
      { DetailType: '' },
      'InvalidArgument',
      'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
    ],
    [
      'no detail',
      { Detail: undefined },
      'InvalidArgument',
      'Parameter Detail is not valid. Reason: Detail is a required argument.',
    ],
    ['a detail that is no JSON', { Detail: '{' }, 'MalformedDetail', 'Detail is malformed.'],
    ['a detail that is no object', { Detail: '[1]' }, 'MalformedDetail', 'Detail is malformed.'],
    [
      'a source of AWS',
      { Source: 'aws.s3' },
      'NotAuthorizedForSourceException',
      'Not authorized for the source.',
    ],
    [
      'a bus that is not there',
      { EventBusName: 'nobody' },
      'ResourceNotFoundException',
      'Event bus nobody does not exist.',
    ],
  ])('an entry with %s fails alone', (_name, more, ErrorCode, ErrorMessage) => {
    const { call, delivered } = busWith([{ targets: [queueTarget()] }]);
    expect(call(entry(more), entry())).toEqual({
      FailedEntryCount: 1,
      Entries: [{ ErrorCode, ErrorMessage }, { EventId: expect.any(String) }],
    });
    expect(delivered).toHaveLength(1);
  });

  it('fails an entry that a target did not take', () => {
    const { call } = busWith([{ targets: [queueTarget()] }], ['q']);
    expect(call(entry())).toEqual({
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: 'InternalFailure', ErrorMessage: 'q is full' }],
    });
  });

  it('sends what a target did not take to its dead letter queue, with the reason', () => {
    const { call, delivered } = busWith([{ targets: [queueTarget({ deadLetterArn: 'dlq' })] }], ['q']);
    expect(call(entry()).FailedEntryCount).toBe(0);
    expect(delivered).toMatchObject([
      {
        to: 'dlq',
        body: { source: 'shop' },
        options: {
          attributes: {
            RULE_ARN: 'arn:rule',
            TARGET_ARN: 'q',
            ERROR_CODE: 'SDK_CLIENT_ERROR',
            ERROR_MESSAGE: 'q is full',
          },
        },
      },
    ]);
  });

  it.each([
    ['no entries', []],
    ['more than ten entries', Array.from({ length: 11 }, () => entry())],
    [
      'more than 1 MB together',
      [
        entry({ Detail: JSON.stringify({ a: 'x'.repeat(600_000) }) }),
        entry({ Detail: JSON.stringify({ a: 'x'.repeat(600_000) }) }),
      ],
    ],
  ])('refuses %s as a whole', (_name, entries) => {
    const { call, delivered } = busWith([{ targets: [queueTarget()] }]);
    expect(() => call(...entries)).toThrow(expect.objectContaining({ type: 'ValidationException' }));
    expect(delivered).toEqual([]);
  });
});

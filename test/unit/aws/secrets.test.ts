import {
  type GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { secretReader } from '../../../shared/aws/secrets.ts';
import { CredentialsError } from '../../../shared/core/errors.ts';

const schema = z.strictObject({ login: z.string().min(1), apiKey: z.string().min(20) });
const holding = (...answers: (string | undefined | Error)[]) => {
  let reads = 0;
  let now = 0;
  const client = Object.create(SecretsManagerClient.prototype) as SecretsManagerClient;
  client.send = async (command: GetSecretValueCommand) => {
    expect(command.input).toEqual({ SecretId: 'waybill/acme-odoo' });
    const answer = answers[Math.min(reads, answers.length - 1)];
    reads += 1;
    if (answer instanceof Error) throw answer;
    return { SecretString: answer };
  };
  return {
    read: secretReader(client, 'waybill/acme-odoo', schema, () => now),
    reads: () => reads,
    wait: (ms: number) => {
      now += ms;
    },
  };
};
const first = { login: 'bot', apiKey: 'k'.repeat(20) };
const second = { login: 'bot', apiKey: 'n'.repeat(20) };

it('reads once in five minutes', async () => {
  const secret = holding(JSON.stringify(first), JSON.stringify(second));
  expect(await secret.read()).toEqual(first);
  secret.wait(5 * 60_000 - 1);
  expect(await secret.read()).toEqual(first);
  expect(secret.reads()).toBe(1);
  secret.wait(1);
  expect(await secret.read()).toEqual(second);
});

it('reads at once when asked for a fresh one, and keeps that', async () => {
  const secret = holding(JSON.stringify(first), JSON.stringify(second));
  await secret.read();
  expect(await secret.read(true)).toEqual(second);
  expect(await secret.read()).toEqual(second);
  expect(secret.reads()).toBe(2);
});

it.each([
  ['not JSON', 'hunter2-hunter2-hunter2', '(whole)'],
  ['no value', undefined, '(whole)'],
  ['an empty object, as when nobody has set it', '{}', 'login, apiKey'],
  ['a field that does not fit', '{"login":"bot","apiKey":"hunter2"}', 'apiKey'],
  ['a field too many', '{"login":"bot","apiKey":"hunter2-hunter2-hunter2","x":"hunter2"}', '(whole)'],
])('names the fields and never a value: %s', async (_case, text, fields) => {
  const error: unknown = await holding(text)
    .read()
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(CredentialsError);
  expect(error).toMatchObject({
    code: 'SECRET_MALFORMED',
    message: `secret waybill/acme-odoo does not fit its schema at: ${fields}`,
  });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
});

it('keeps nothing that did not fit', async () => {
  const secret = holding('{}', JSON.stringify(first));
  await expect(secret.read()).rejects.toThrow(CredentialsError);
  expect(await secret.read()).toEqual(first);
});

it('tells a secret without a value from a Secrets Manager that fails', async () => {
  const missing = new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
  await expect(holding(missing).read()).rejects.toMatchObject({
    name: 'CredentialsError',
    code: 'SECRET_MISSING',
    message: 'secret waybill/acme-odoo has no value',
  });
  await expect(holding(new Error('throttled')).read()).rejects.toThrow('throttled');
});

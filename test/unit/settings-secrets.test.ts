import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { check } from '../../infra/problems.ts';
import { loadSecretsFile, parseSecrets } from '../../infra/secrets.ts';
import { SettingsError } from '../../infra/settings.ts';
import { sandbox } from '../../infra/stages/sandbox.ts';

const STAGE = sandbox({ woocommerce: 'http://127.0.0.1:8080', odoo: 'http://127.0.0.1:8069' });
const SECRET = 'hunter2-is-16-long';
const valid = () => ({
  'sandbox-woo': { webhookSecrets: [SECRET] } as Record<string, unknown>,
  'sandbox-odoo': { login: 'waybill', apiKey: SECRET } as Record<string, unknown>,
});

describe('parseSecrets', () => {
  it('returns the credentials of every connection', () => {
    expect(parseSecrets(valid(), STAGE, 'secrets.json')).toEqual(valid());
  });

  it.each<[string, unknown, string[]]>([
    [
      'a connection without credentials',
      { 'sandbox-woo': valid()['sandbox-woo'] },
      ['sandbox-odoo: missing; Odoo needs login, apiKey'],
    ],
    [
      'no credentials at all',
      {},
      [
        'sandbox-woo: missing; WooCommerce needs webhookSecrets, consumerKey (optional), consumerSecret (optional)',
        'sandbox-odoo: missing; Odoo needs login, apiKey',
      ],
    ],
    [
      'an id with a typing error',
      { 'sandbox-woo': valid()['sandbox-woo'], 'sandbox-odo': valid()['sandbox-odoo'] },
      [
        'sandbox-odo: no connection of the settings has this id; did you mean "sandbox-odoo"?',
        'sandbox-odoo: missing; Odoo needs login, apiKey',
      ],
    ],
    [
      'a connection too many',
      { ...valid(), 'other-shop': {} },
      ['other-shop: no connection of the settings has this id; known: sandbox-woo, sandbox-odoo'],
    ],
    [
      'a missing field',
      { ...valid(), 'sandbox-odoo': { login: 'waybill' } },
      ['sandbox-odoo.apiKey: missing (a text)'],
    ],
    [
      'a field with a typing error',
      { ...valid(), 'sandbox-odoo': { login: 'waybill', apikey: SECRET } },
      ['sandbox-odoo.apiKey: missing (a text)', 'sandbox-odoo.apikey: unknown key; did you mean "apiKey"?'],
    ],
    [
      'a secret that is too short',
      { ...valid(), 'sandbox-woo': { webhookSecrets: ['hunter2'] } },
      ['sandbox-woo.webhookSecrets.0: must have 16 characters or more'],
    ],
    [
      'a key of the wrong kind',
      { ...valid(), 'sandbox-woo': { webhookSecrets: [SECRET], consumerKey: SECRET } },
      ['sandbox-woo.consumerKey: looks like ck_…'],
    ],
    [
      'a text instead of credentials',
      { ...valid(), 'sandbox-odoo': SECRET },
      ['sandbox-odoo: must be an object { … }, not a text'],
    ],
    ['a list', [SECRET], ['(top level): must be an object { … }, not a list']],
  ])('%s', (_case, value, problems) => {
    let error: unknown;
    try {
      parseSecrets(value, STAGE, 'secrets.json');
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as SettingsError).problems).toEqual(problems);
    expect((error as SettingsError).message).not.toContain('hunter2');
  });
});

it('shows values only where it is told that it may', () => {
  const schema = z.strictObject({ account: z.enum(['test', 'live']), url: z.url(), mail: z.email() });
  const value = { account: SECRET, url: SECRET, mail: SECRET };
  const hidden = check(schema, value, { showValues: false });
  expect(hidden).toEqual({
    problems: [
      'account: is not one of test, live',
      'url: is no address, e.g. https://shop.acme.example',
      'mail: is no mail address',
    ],
  });
  expect(check(schema, value)).toEqual({
    problems: [
      'account: "hunter2-is-16-long" is not one of test, live',
      'url: "hunter2-is-16-long" is no address, e.g. https://shop.acme.example',
      'mail: "hunter2-is-16-long" is no mail address',
    ],
  });
});

describe('loadSecretsFile', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'waybill-secrets-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('reads JSON', async () => {
    const file = path.join(directory, 'secrets.json');
    await writeFile(file, JSON.stringify(valid()));
    expect(await loadSecretsFile(file, STAGE)).toEqual(valid());
  });

  it.each([`{ "sandbox-odoo": { "apiKey": ${SECRET} } }`, `{ "sandbox-odoo": "${SECRET}"`, SECRET])(
    'quotes nothing of a file that is no JSON: %s',
    async (text) => {
      const file = path.join(directory, 'broken.json');
      await writeFile(file, text);
      const error = await loadSecretsFile(file, STAGE).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(SettingsError);
      expect((error as SettingsError).message).toMatch(/broken\.json: 1 problem\n {2}is no valid JSON/);
      expect(String(error)).not.toContain('hunter2');
    },
  );

  it('says which file is missing', async () => {
    await expect(loadSecretsFile(path.join(directory, 'none.json'), STAGE)).rejects.toThrow(
      /none\.json: 1 problem\n {2}cannot be read \(ENOENT\)/,
    );
  });
});

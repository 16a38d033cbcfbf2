import { describe, expect, it } from 'vitest';
import { secretsManager } from '../../../infra/local/secrets.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:000000000000:secret:acme/shop-ab12cd';
const open = (given: Record<string, string> = {}) => {
  const operations = secretsManager(
    [
      { name: 'acme/shop', arn: ARN, description: 'the shop' },
      { name: 'made-up', arn: `${ARN}2`, generate: { length: 20 } },
      {
        name: 'templated',
        arn: `${ARN}3`,
        generate: { template: '{"user":"u"}', key: 'password', length: 8 },
      },
    ],
    given,
    'eu-west-1',
    () => 1_700_000_000_000,
  );
  return (operation: string, input: Record<string, unknown> = {}) =>
    operations[operation]?.(input) as Record<string, unknown>;
};

describe('Secrets Manager', () => {
  it.each([
    ['its name', 'acme/shop'],
    ['its ARN', ARN],
    ['its ARN without the suffix', ARN.slice(0, -7)],
  ])('finds a secret by %s', (_name, SecretId) => {
    expect(open({ 'acme/shop': 'value' })('GetSecretValue', { SecretId })).toEqual({
      ...{ ARN, Name: 'acme/shop', SecretString: 'value', VersionId: expect.any(String) },
      ...{ VersionStages: ['AWSCURRENT'], CreatedDate: 1_700_000_000 },
    });
  });

  it("answers in AWS's words when a secret has no value, or is not there", () => {
    const call = open();
    expect(() => call('GetSecretValue', { SecretId: 'acme/shop' })).toThrow(
      expect.objectContaining({
        type: 'ResourceNotFoundException',
        message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      }),
    );
    expect(() => call('GetSecretValue', { SecretId: 'nobody' })).toThrow(
      expect.objectContaining({
        type: 'ResourceNotFoundException',
        message: "Secrets Manager can't find the specified secret.",
      }),
    );
    expect(call('DescribeSecret', { SecretId: 'acme/shop' })).toEqual({
      ...{ ARN, Name: 'acme/shop', Description: 'the shop' },
      ...{ CreatedDate: 1_700_000_000, LastChangedDate: 1_700_000_000 },
    });
  });

  it('makes up what the template wants generated', () => {
    const call = open();
    expect(call('GetSecretValue', { SecretId: 'made-up' })['SecretString']).toMatch(/^[\w-]{20}$/);
    expect(JSON.parse(String(call('GetSecretValue', { SecretId: 'templated' })['SecretString']))).toEqual({
      user: 'u',
      password: expect.stringMatching(/^[\w-]{8}$/),
    });
  });

  it('keeps the previous value when a new one is put', () => {
    const call = open({ 'acme/shop': 'one' });
    const { VersionId } = call('PutSecretValue', { SecretId: 'acme/shop', SecretString: 'two' });
    expect(call('GetSecretValue', { SecretId: 'acme/shop' })).toMatchObject({
      SecretString: 'two',
      VersionId,
    });
    expect(call('GetSecretValue', { SecretId: 'acme/shop', VersionStage: 'AWSPREVIOUS' })).toMatchObject({
      SecretString: 'one',
    });
  });

  it('puts once per token, and refuses another value for it', () => {
    const call = open({ 'acme/shop': 'one' });
    const put = (SecretString: string) =>
      call('PutSecretValue', { SecretId: 'acme/shop', SecretString, ClientRequestToken: 't' });
    put('two');
    put('two');
    expect(call('GetSecretValue', { SecretId: 'acme/shop', VersionStage: 'AWSPREVIOUS' })).toMatchObject({
      SecretString: 'one',
    });
    expect(() => put('three')).toThrow(expect.objectContaining({ type: 'ResourceExistsException' }));
  });

  it('creates secrets that are given but in no template', () => {
    const call = open({ imported: 'v' });
    expect(call('GetSecretValue', { SecretId: 'imported' })).toMatchObject({ SecretString: 'v' });
    expect((call('ListSecrets')['SecretList'] as { Name: string }[]).map(({ Name }) => Name)).toEqual([
      ...['acme/shop', 'made-up', 'templated', 'imported'],
    ]);
  });
});

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { AwsError, type Operation } from './aws-endpoint.ts';
import { ACCOUNT_ID, type SecretPlan } from './plan.ts';

interface Version {
  readonly id: string;
  readonly value: string;
  readonly createdS: number;
  stages: string[];
}
interface StoredSecret {
  readonly name: string;
  readonly arn: string;
  readonly description?: string | undefined;
  readonly createdS: number;
  changedS: number;
  versions: Version[];
}

/** What Secrets Manager makes up when a template asks for a generated secret. */
const generated = ({ template, key, length }: NonNullable<SecretPlan['generate']>): string => {
  const password = randomBytes(length).toString('base64url').slice(0, length);
  if (template === undefined || key === undefined) return password;
  return JSON.stringify({ ...(JSON.parse(template) as Record<string, unknown>), [key]: password });
};
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * Secrets Manager in memory: values are given at every start and never written to disk.
 * @param given secret name -> SecretString; names that no template holds are created too (imported secrets)
 */
export const secretsManager = (
  plans: readonly SecretPlan[],
  given: Readonly<Record<string, string>>,
  region: string,
  nowMs: () => number = Date.now,
): Readonly<Record<string, Operation>> => {
  const nowS = () => nowMs() / 1000;
  const secrets = new Map<string, StoredSecret>();
  const add = (name: string, arn: string, value: string | undefined, description?: string) => {
    const createdS = nowS();
    const versions =
      value === undefined ? [] : [{ id: randomUUID(), value, createdS, stages: ['AWSCURRENT'] }];
    secrets.set(name, { name, arn, description, createdS, changedS: createdS, versions });
  };
  for (const plan of plans)
    add(
      plan.name,
      plan.arn,
      given[plan.name] ?? plan.value ?? (plan.generate && generated(plan.generate)),
      plan.description,
    );
  for (const [name, value] of Object.entries(given))
    if (!secrets.has(name)) {
      const suffix = createHash('sha256').update(name).digest('hex').slice(0, 6);
      add(name, `arn:aws:secretsmanager:${region}:${ACCOUNT_ID}:secret:${name}-${suffix}`, value);
    }

  /** By name, whole ARN, or ARN without the six characters at its end. */
  const find = (id: unknown): StoredSecret => {
    const wanted = text(id) ?? '';
    for (const secret of secrets.values())
      if (wanted === secret.name || wanted === secret.arn || wanted === secret.arn.slice(0, -7))
        return secret;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  };
  const describe = ({ name, arn, description, createdS, changedS, versions }: StoredSecret) => ({
    ...{ ARN: arn, Name: name, CreatedDate: createdS, LastChangedDate: changedS },
    ...(description ? { Description: description } : {}),
    ...(versions.length > 0
      ? { VersionIdsToStages: Object.fromEntries(versions.map(({ id, stages }) => [id, stages])) }
      : {}),
  });

  return {
    GetSecretValue: ({ SecretId, VersionId, VersionStage }) => {
      const secret = find(SecretId);
      const stage = text(VersionStage) ?? 'AWSCURRENT';
      const version = secret.versions.find(({ id, stages }) =>
        VersionId === undefined ? stages.includes(stage) : id === VersionId,
      );
      if (!version)
        throw new AwsError(
          'ResourceNotFoundException',
          VersionId === undefined
            ? `Secrets Manager can't find the specified secret value for staging label: ${stage}`
            : `Secrets Manager can't find the specified secret value for VersionId: ${VersionId}`,
        );
      return {
        ...{ ARN: secret.arn, Name: secret.name, SecretString: version.value, VersionId: version.id },
        ...{ VersionStages: version.stages, CreatedDate: version.createdS },
      };
    },
    DescribeSecret: ({ SecretId }) => describe(find(SecretId)),
    ListSecrets: () => ({ SecretList: [...secrets.values()].map(describe) }),
    PutSecretValue: ({ SecretId, SecretString, ClientRequestToken }) => {
      const secret = find(SecretId);
      const value = text(SecretString);
      if (value === undefined)
        throw new AwsError(
          'InvalidParameterException',
          'You must provide SecretString: binary is not kept here.',
        );
      const id = text(ClientRequestToken) ?? randomUUID();
      const same = secret.versions.find((version) => version.id === id);
      if (same && same.value !== value)
        throw new AwsError(
          'ResourceExistsException',
          `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`,
        );
      if (!same) {
        // The current version becomes the previous one; what was previous has no label and is forgotten.
        secret.versions = secret.versions.filter(({ stages }) => stages.includes('AWSCURRENT'));
        for (const version of secret.versions) version.stages = ['AWSPREVIOUS'];
        secret.versions.push({ id, value, createdS: nowS(), stages: ['AWSCURRENT'] });
        secret.changedS = nowS();
      }
      return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: ['AWSCURRENT'] };
    },
  };
};

import { RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

/** `waybill/<stage>/<connection>` */
export const secretName = (stage: string, connection: string): string => `waybill/${stage}/${connection}`;

/**
 * The secret of one connection, without its value: people store that (`waybill secrets set`). Later deployments leave
 * the value alone, because this text never changes; removing the connection leaves the secret.
 */
export class Credentials extends Construct {
  readonly secret: secretsmanager.Secret;

  constructor(scope: Construct, id: string, props: { readonly stage: string; readonly connection: string }) {
    super(scope, id);
    this.secret = new secretsmanager.Secret(this, 'Secret', {
      secretName: secretName(props.stage, props.connection),
      description: `Credentials of ${props.connection}`,
      secretStringValue: SecretValue.unsafePlainText('{}'),
      // Kept, except when its very first deployment fails: the name would stand in the way of the second.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }
}

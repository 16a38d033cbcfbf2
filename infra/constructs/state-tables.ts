import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { JOURNAL_OPEN_INDEX } from '../../shared/observability/names.ts';

const text = (name: string): dynamodb.Attribute => ({ name, type: dynamodb.AttributeType.STRING });
const number = (name: string): dynamodb.Attribute => ({ name, type: dynamodb.AttributeType.NUMBER });

/**
 * What must never be forgotten: which intents were carried out (ledger), whose document is whose (bindings), which
 * orders are unfinished (journal), the rows that merchants keep (mappings), which messages wait for a person (parked),
 * how far each poll has read (cursors), which connections are paused (connections), who may sell how much (stock), and what
 * people are told of every morning (reports).
 *
 * All can be restored to any second of the last 35 days, none can be deleted by a deployment.
 */
export class StateTables extends Construct {
  readonly ledger: dynamodb.Table;
  readonly bindings: dynamodb.Table;
  readonly journal: dynamodb.Table;
  readonly mappings: dynamodb.Table;
  readonly parked: dynamodb.Table;
  readonly cursors: dynamodb.Table;
  readonly connections: dynamodb.Table;
  readonly payments: dynamodb.Table;
  readonly stock: dynamodb.Table;
  readonly reports: dynamodb.Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const table = (name: string, sortKey?: dynamodb.Attribute) =>
      new dynamodb.Table(this, name, {
        partitionKey: text('pk'),
        ...(sortKey === undefined ? {} : { sortKey }),
        billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption: dynamodb.TableEncryption.AWS_MANAGED,
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
        timeToLiveAttribute: 'expiresAtS',
        deletionProtection: true,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    this.ledger = table('Ledger');
    this.bindings = table('Bindings');
    this.journal = table('Journal');
    // Only unfinished orders have `openFor`, so the index stays small however long the journal grows.
    this.journal.addGlobalSecondaryIndex({
      indexName: JOURNAL_OPEN_INDEX,
      partitionKey: text('openFor'),
      sortKey: number('openSinceMs'),
      projectionType: dynamodb.ProjectionType.KEYS_ONLY,
    });
    this.mappings = table('Mappings', text('sk'));
    this.parked = table('Parked', text('sk'));
    this.cursors = table('Cursors');
    this.connections = table('Connections');
    this.payments = table('Payments');
    this.stock = table('Stock', text('sk'));
    this.reports = table('Reports', text('sk'));
  }
}

/** On items of the table, not of its indexes (which `table.grant` adds with a wildcard). */
export const grantItems = (
  table: dynamodb.ITable,
  grantee: iam.IGrantable,
  ...actions: readonly `dynamodb:${string}`[]
): iam.Grant => iam.Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: [table.tableArn] });

/** To query one index of the table. */
export const grantIndex = (table: dynamodb.ITable, index: string, grantee: iam.IGrantable): iam.Grant =>
  iam.Grant.addToPrincipal({
    grantee,
    actions: ['dynamodb:Query'],
    resourceArns: [`${table.tableArn}/index/${index}`],
  });

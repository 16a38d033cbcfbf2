import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { CATALOGUE } from '../../shared/events/catalogue.ts';

export interface EventBusProps {
  /** Within the account and region. */
  readonly name: string;
  /** How long events can be replayed. They name buyers: see the limit in infra/settings.ts. */
  readonly archiveDays: number;
}

/** The bus, and the archive of what was on it. */
export class EventBus extends Construct {
  readonly bus: events.EventBus;

  constructor(scope: Construct, id: string, props: EventBusProps) {
    super(scope, id);
    this.bus = new events.EventBus(this, 'Bus', { eventBusName: props.name });
    new events.Archive(this, 'Archive', {
      sourceEventBus: this.bus,
      description: 'Orders as they came, for replay',
      eventPattern: { source: [...new Set(Object.values(CATALOGUE).map(({ source }) => source))] },
      retention: Duration.days(props.archiveDays),
    });
  }
}

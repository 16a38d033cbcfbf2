import * as z from 'zod';
import { PermanentError, RetryableError } from '../../core/errors.ts';
import type { TrytonCall } from './client.ts';
import type { TrytonOrdersOptions } from './connection.ts';
import { isOpen, nameOf, type Sale } from './sale.ts';

/**
 * Brings a sale to where Tryton makes its shipments and invoices. Without a worker that happens within the call that
 * confirms, with one some time later (observed on 6.0; trytond documentation, Task Queue).
 * @returns the sale as it then is, and what somebody should know about it
 * @throws RetryableError PEER_BUSY it is confirmed, and not processed yet
 */
export const confirmSale = async (
  { client, destination }: TrytonOrdersOptions,
  before: Sale,
  read: () => Promise<Sale>,
  call: TrytonCall,
): Promise<{ readonly sale: Sale; readonly warnings: readonly string[] }> => {
  const document = nameOf(before);
  const operation = { what: 'confirm-order', document } as const;
  const press = (button: 'quote' | 'confirm' | 'process') =>
    client.press('sale.sale', button, [before.id], operation, call);
  /** Presses what the state still asks for; what somebody else did in this moment is as good. */
  const pressed = async (...buttons: ('quote' | 'confirm')[]): Promise<Sale> => {
    try {
      for (const button of buttons) await press(button);
    } catch (error) {
      const now = error instanceof PermanentError ? await read() : undefined;
      if (!now || isOpen(now)) throw error;
      return now;
    }
    return read();
  };

  let sale = before;
  if (isOpen(sale)) {
    sale = await pressed(
      ...(sale.state === 'draft' ? (['quote', 'confirm'] as const) : (['confirm'] as const)),
    );
    if (isOpen(sale)) {
      // A button may want several people to press it (ir.model.button.rule).
      throw new PermanentError('ERP_REFUSED', {
        destination,
        operation,
        error: { why: 'asked-a-question' },
      });
    }
  } else if (sale.state === 'confirmed' && !(await isDelayed())) {
    // An earlier attempt confirmed it and processing failed: Tryton keeps silent about that, unless it is asked to.
    await press('process');
    sale = await read();
  }
  if (sale.state !== 'confirmed') return { sale, warnings: [] };
  if (await isDelayed()) {
    return { sale, warnings: [`${nameOf(sale)} is confirmed; Tryton is set to process it later.`] };
  }
  throw new RetryableError('PEER_BUSY', `${destination} has not processed a confirmed sale yet`, {
    destination,
  });

  /** The sale configuration lets confirmed sales wait for some time. */
  async function isDelayed(): Promise<boolean> {
    const [configuration] = await client.ask(
      'sale.configuration',
      'read',
      [[1], ['sale_process_after']],
      z.array(z.looseObject({ sale_process_after: z.unknown() })),
      call,
    );
    return Boolean(configuration?.sale_process_after);
  }
};

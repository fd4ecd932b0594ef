import type { Command } from 'commander';
import type { Context } from './context.ts';
import { addOrder } from './order-invoice.ts';

export function retryCommand(program: Command, context: Context): void {
  addOrder(program, context, {
    intervention: 'retry',
    description:
      'have an invoice charged again now, also one that was given up; nothing is sent while a charge of it is open',
    done: 'it is looked up and charged as soon as a worker comes',
  });
}

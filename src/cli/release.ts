import type { Command } from 'commander';
import type { Context } from './context.ts';
import { addOrder } from './order-invoice.ts';

export function releaseCommand(program: Command, context: Context): void {
  addOrder(program, context, {
    intervention: 'release',
    description: 'let an invoice go on that is held or in review; it is looked up before it is charged',
    done: 'it is looked up and charged as soon as a worker comes',
  });
}

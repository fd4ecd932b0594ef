import type { Command } from 'commander';
import type { Context } from './context.ts';
import { addOrder } from './order-invoice.ts';

export function voidCommand(program: Command, context: Context): void {
  addOrder(program, context, {
    intervention: 'void',
    description: 'end an invoice that is not paid: nothing is owed for it any more',
    done: 'nothing is charged for it any more',
  });
}

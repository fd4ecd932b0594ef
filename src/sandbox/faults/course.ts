import { type Course, findTestCard } from '../cards.ts';
import type { Hit } from './faults.ts';

/** How a charge goes instead of the card's way; spans in ms of the sandbox's clock. */
export type Detour = {
  readonly course: Course;
  /** How long an undecided payment takes; null as the modes say. */
  readonly settleAfterMs: number | null;
  /** When after its capture the payment company takes it back; null never. */
  readonly reverseAfterMs: number | null;
};

/** The way that a fault makes a charge go; null for a fault, or none, that leaves it to the card. */
export function detourOf(hit: Hit | null): Detour | null {
  switch (hit?.what) {
    case 'flip_to_paid':
    case 'pending_then_paid':
      return detour(cardCourse(hit.what), { settleAfterMs: hit.param('delay_ms') });
    case 'capture_late':
      return detour(cardCourse('capture_late'), { settleAfterMs: uniform(hit) });
    case 'capture_late_hang':
      return detour({ ...cardCourse('capture_late'), answer: 'silence' }, { settleAfterMs: uniform(hit) });
    case 'paid_then_cancelled':
      return detour(cardCourse('approve'), { reverseAfterMs: hit.param('delay_ms') });
    default:
      return hit?.what.startsWith('decline_') ? detour(cardCourse(hit.what), {}) : null;
  }
}

/** The way that a test card goes. Throws RangeError for a name that is no test card. */
export function detourBy(card: string): Detour {
  return detour(cardCourse(card), {});
}

/** A whole number of ms from 0 to `max_ms`. */
function uniform(hit: Hit): number {
  return Math.floor(hit.draw() * (hit.param('max_ms') + 1));
}

function detour(course: Course, spans: Partial<Omit<Detour, 'course'>>): Detour {
  return { course, settleAfterMs: null, reverseAfterMs: null, ...spans };
}

/** Faults of charges go as the test card of their name does. Throws RangeError where there is none. */
function cardCourse(name: string): Course {
  const card = findTestCard(name);
  if (card === null) throw new RangeError(`'${name}' is not a test card`);
  return card.course;
}

import { closestMatch } from 'leven';

/** `; did you mean X?` for the candidate a typing mistake or two away, else nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const wanted = name.slice(0, MAX_LENGTH).toLowerCase();
  const maxDistance = Math.max(1, Math.floor(wanted.length / 3));
  const known = [...candidates];
  const inLowerCase = known.map((candidate) => candidate.toLowerCase());
  const nearest = closestMatch(wanted, inLowerCase, { maxDistance });
  const meant = known.find((candidate) => candidate.toLowerCase() === nearest);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

const MAX_LENGTH = 64;

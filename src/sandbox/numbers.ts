/** The numbers given out so far. */
type GivenNumbers = {
  /** The highest one. */
  readonly lastSerial: number;
  readonly payments: ReadonlyMap<string, unknown>;
  readonly promised: ReadonlyMap<string, unknown>;
};

/** A fresh `imps_` number of 12 digits, which follow the time in ms like PortOne's and never repeat. */
export function issueImpUid(given: GivenNumbers, nowMs: number): string {
  for (let serial = Math.max(Math.floor(nowMs) % TWELVE_DIGITS, given.lastSerial + 1); ; serial += 1) {
    const impUid = `imps_${String(serial % TWELVE_DIGITS).padStart(12, '0')}`;
    if (!given.payments.has(impUid) && !given.promised.has(impUid)) return impUid;
  }
}

/** The number inside an imp_uid. */
export function serialOf(impUid: string): number {
  return Number(impUid.slice('imps_'.length));
}

const TWELVE_DIGITS = 10 ** 12;

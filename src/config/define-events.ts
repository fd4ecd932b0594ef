/** Where maedal tells what happened. */
export type UserEvents = {
  /** Up to 20 servers, each told by itself. */
  readonly endpoints?: readonly UserEndpoint[] | undefined;
};

export type UserEndpoint = {
  /** 1 to 64 letters, digits, points and hyphens; unique. Deliveries are kept under it. */
  readonly name: string;
  /** Is POSTed each event as JSON, signed as Standard Webhooks has it; any status of 200 to 299 says that it arrived. */
  readonly url: string;
  /** `whsec_…` or 24 to 128 characters; of several, while they are changed, all sign. */
  readonly secret: string | readonly string[];
  /** Only these kinds, such as `charge.succeeded`. Default all. */
  readonly types?: readonly string[] | undefined;
  /** Addresses that may be called although they are not public; these by http too. Default none. */
  readonly allowAddresses?: readonly string[] | undefined;
  /** Certificates that vouch for it instead of the public ones: PEM. */
  readonly ca?: string | undefined;
};

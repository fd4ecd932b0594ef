/** An address of the gateway, without a slash at its end. */
export type BaseUrl = {
  readonly href: string;
  readonly isSecure: boolean;
  readonly isLoopback: boolean;
  /** One of PortOne's own hosts. */
  readonly isPortOne: boolean;
};

/** PortOne's V1 API (source: its OpenAPI document, host). */
export const PORTONE_URL = 'https://api.iamport.kr';

/** Reads an http or https origin; null for anything else, such as a path, credentials or a query. */
export function parseBaseUrl(text: string): BaseUrl | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return null;
  if (url.href !== `${url.origin}/` || text.includes('\\')) return null;
  return {
    href: url.origin,
    isSecure: url.protocol === 'https:',
    isLoopback: /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname), // URL writes 127.1 and 0x7f.1 out
    isPortOne: url.port === '' && PORTONE_HOSTS.includes(url.hostname),
  };
}

const PORTONE_HOSTS = ['api.iamport.kr', 'static-api.iamport.kr'];

import { PORTONE_URL } from './base-url.ts';
import type { GatewayConfig } from './config.ts';
import type { Inspection } from './environment.ts';
import { Secret } from './secret.ts';

export type GatewayChoice = { readonly gateway: GatewayConfig } | { readonly problems: readonly string[] };

/**
 * Which gateway is charged: PortOne if a key is set, else the sandbox. A real key never leaves unencrypted, and `live`
 * sends it to PortOne's own hosts alone. `mustBeNamed` refuses a sandbox that nobody named.
 */
export function chooseGateway(inspection: Inspection, mustBeNamed: boolean): GatewayChoice {
  const { environment, isSet } = inspection;
  const asked: Asked = {
    environment,
    hasKey: isSet('PORTONE_API_KEY') || isSet('IMP_KEY'),
    hasSecret: isSet('PORTONE_API_SECRET') || isSet('IMP_SECRET'),
    hasUrl: isSet('PORTONE_BASE_URL'),
    isSandboxKey: environment.apiKey === null || environment.apiKey.reveal() === SANDBOX_KEY,
  };
  const problems = [
    ...pairProblems(asked),
    ...(environment.mode === 'live' ? liveProblems(asked) : testProblems(asked, mustBeNamed)),
  ];
  return problems.length > 0 ? { problems } : { gateway: gatewayOf(asked, mustBeNamed) };
}

type Asked = {
  readonly environment: Inspection['environment'];
  readonly hasKey: boolean;
  readonly hasSecret: boolean;
  readonly hasUrl: boolean;
  readonly isSandboxKey: boolean;
};

function gatewayOf({ environment, isSandboxKey }: Asked, mustBeNamed: boolean): GatewayConfig {
  const { apiKey, apiSecret, baseUrl, sandboxPort } = environment;
  const isSandbox = baseUrl === null ? isSandboxKey : !baseUrl.isSecure;
  return {
    kind: isSandbox ? 'sandbox' : 'portone',
    baseUrl: baseUrl?.href ?? (isSandbox ? `http://127.0.0.1:${sandboxPort}` : PORTONE_URL),
    key: apiKey ?? new Secret(SANDBOX_KEY),
    secret: apiSecret ?? new Secret(SANDBOX_SECRET),
    runInside: isSandbox && baseUrl === null && !mustBeNamed,
  };
}

function pairProblems({ hasKey, hasSecret }: Asked): string[] {
  if (hasKey === hasSecret) return [];
  const [given, missing] = hasKey ? ['KEY', 'SECRET'] : ['SECRET', 'KEY'];
  return [`PORTONE_API_${given} is set and PORTONE_API_${missing} is missing; set both`];
}

function liveProblems({ environment: { baseUrl }, hasKey, hasSecret, isSandboxKey }: Asked): string[] {
  const problems: string[] = [];
  if (!hasKey && !hasSecret) problems.push('PORTONE_API_KEY and PORTONE_API_SECRET are missing; live needs them');
  if (hasKey && isSandboxKey) problems.push("PORTONE_API_KEY is the sandbox's; live charges through PortOne");
  if (baseUrl !== null && !(baseUrl.isSecure && baseUrl.isPortOne)) {
    problems.push(`PORTONE_BASE_URL is ${baseUrl.href}; live sends its key to ${PORTONE_URL} alone`);
  }
  return problems;
}

function testProblems(
  { environment: { baseUrl }, hasKey, hasUrl, isSandboxKey }: Asked,
  mustBeNamed: boolean,
): string[] {
  if (!hasUrl && !hasKey && mustBeNamed) {
    return ['start --roles needs a gateway; set PORTONE_BASE_URL, or PORTONE_API_KEY and PORTONE_API_SECRET'];
  }
  if (baseUrl?.isSecure === true && !hasKey) {
    return [`PORTONE_BASE_URL is ${baseUrl.href}; set PORTONE_API_KEY and PORTONE_API_SECRET for it`];
  }
  if (baseUrl?.isSecure === false && !baseUrl.isLoopback && !isSandboxKey) {
    return [`PORTONE_BASE_URL is ${baseUrl.href}; use https, or the key would be sent unencrypted`];
  }
  return [];
}

const SANDBOX_KEY = 'imp_sandbox';
const SANDBOX_SECRET = 'sandbox_secret';

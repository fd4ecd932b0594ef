/** What is wrong with a URL that a hook is sent to, or null. Whether its address may be called is judged when it is. */
export function hookUrlProblem(text: string, allowed: readonly string[]): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['https:', 'http:'].includes(url.protocol))
    return 'write a whole URL, https://shop.example/hooks';
  if (url.username !== '' || url.password !== '') return 'a URL is shown and logged: write no user name or password';
  if (url.hash !== '') return 'nothing behind # is ever sent: remove it';
  if (url.protocol === 'http:' && allowed.length === 0) {
    return 'use https; http is for addresses of your own network, which allowAddresses names';
  }
  if (!['', '8443'].includes(url.port) && allowed.length === 0) {
    return 'use port 443 or 8443; others are for addresses of your own network, which allowAddresses names';
  }
  return null;
}
